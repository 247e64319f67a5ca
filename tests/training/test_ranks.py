"""One training by two processes, over gloo: the losses of one process, decisions that both take,
and a process that fails, stops or dies."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from legoc.data.batching.assembly import Samples
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.progress import SILENT
from legoc.training.public import train_with
from legoc.training.ranks.alike import verify_crew, verify_together
from legoc.training.ranks.told import read_told, verify_single
from legoc.training.ranks.world import ALONE, World
from legoc.training.settings import Settings
from tests.training import ranks_worker
from tests.training.processes import PATIENCE


ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def started(what: str, folder: Path, size: int = 2) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that know of each other as torchrun would tell them."""
    port = str(free_port())
    told = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(size),
        "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}",
    }  # fmt: skip
    there = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.ranks_worker", what, str(folder)],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **told, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(size)
    ]  # fmt: skip
    try:
        yield there
    finally:
        for process in there:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def found(folder: Path) -> list[dict[str, Any]]:
    """What became of each case, by process."""
    with started("cases", folder) as processes:
        said = [process.communicate(timeout=PATIENCE)[1] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    return [json.loads((folder / f"cases{rank}.json").read_text()) for rank in range(2)]


def losses(folder: Path) -> list[float]:
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [e["loss"] for e in map(json.loads, lines) if e["event"] == "step"]


@pytest.mark.parametrize("name", ["plain", "normed"])
def test_two_processes_have_the_losses_of_one(found, folder, tmp_path, name):
    """The last batch of an epoch has one row, so that one of them has none of it."""
    make = {"plain": ranks_worker.toy_job, "normed": ranks_worker.normed_job}[name]
    changes = {"accumulate": 2, "clip": 1.0} if name == "plain" else {}
    job = make(tmp_path, ALONE, **changes)
    ranks_worker.fit(job)
    assert losses(folder / name) == pytest.approx(losses(tmp_path), rel=1e-5)
    one, other = (np.frombuffer(bytes.fromhex(each[name][1]), np.uint8) for each in found)
    assert found[0][name][0] == "done"
    # The running number of batches of BatchNorm is no float.
    assert (one == other).all()
    sizes = [v.numpy().nbytes for v in job.module.state_dict().values()]
    starts = np.cumsum([0, *sizes])
    for start_, size, value in zip(starts, sizes, job.module.state_dict().values(), strict=False):
        got = one[start_ : start_ + size].view(value.numpy().dtype)
        np.testing.assert_allclose(got, value.numpy().ravel(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ranks_worker.MODELS)
def test_models_train_alike(found, folder, tmp_path, name):
    there = Path(found[0][name][0])
    settings = ranks_worker.settings_of(tmp_path, name)
    alone = train_with(ranks_worker.spec_of(name), settings, SILENT)
    assert there.name == alone.folder.name
    expected = losses(alone.folder)
    assert len(expected) > 3
    assert losses(there) == pytest.approx(expected, rel=2e-4)
    environment = json.loads((there / "environment.json").read_text())
    assert environment["processes"] == 2
    assert "processes" not in alone.environment


def test_what_goes_wrong_in_one_is_told_in_both(found):
    assert found[1]["one"] == ["MemoryError"]
    assert found[0]["one"] == ["Elsewhere", "E0568 MemoryError: no room in the second"]
    for each in found:
        assert each["inf"][1].startswith("E0550 the loss is not finite at epoch 1, step 4")


def test_the_clock_of_the_first_decides(found, folder):
    assert [each["limit"][0] for each in found] == ["done", "done"]
    assert found[0]["limit"] == found[1]["limit"]
    assert len(losses(folder / "limit")) == 4


def test_a_state_that_cannot_be_saved_ends_both(found, folder):
    assert found[0]["full"] == ["OSError"]
    assert found[1]["full"][:1] == ["Elsewhere"]
    assert found[1]["full"][1].startswith("E0562")
    assert found[1]["full"][1].endswith("no space left on device")
    # What was saved before is whole.
    assert ranks_worker.run(ranks_worker.toy_job(folder / "full", ALONE))[0] == "done"


def test_a_signal_to_one_stops_both_behind_the_same_update(found, folder):
    assert [each["stopped"] for each in found] == [["Terminated"], ["Terminated"]]
    assert found[0]["resumed"] == found[0]["straight"] == found[1]["resumed"]
    assert losses(folder / "stopped") == losses(folder / "straight")


def test_draws_follow_from_the_number_of_the_process(found):
    """With dropout two trainings are equal to the bit, and not that of one process."""
    assert found[0]["dropping"] == found[0]["again"] == found[1]["again"]


def test_a_process_that_dies_ends_the_other_in_time(tmp_path):
    with started("die", tmp_path) as (first, second):
        _, said = first.communicate(timeout=60)
        assert first.returncode == 0, said
        assert second.wait(timeout=60) == -9
    name, message = json.loads((tmp_path / "die0.json").read_text())["killed"]
    assert name == "Lost"
    assert message.startswith("E0568 process 0 of 2 has lost another one")
    # Seven updates were saved whole; one process goes on from them.
    job = ranks_worker.toy_job(tmp_path / "killed", ALONE)
    assert ranks_worker.run(job)[0] == "done"
    straight = ranks_worker.toy_job(tmp_path / "straight", ALONE)
    ranks_worker.run(straight)
    assert losses(tmp_path / "killed") == pytest.approx(losses(tmp_path / "straight"), rel=1e-5)


@pytest.mark.slow
def test_torchrun_starts_them_again(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts",
         "1", "--master-port", str(free_port()), "-m", "tests.training.ranks_worker", "restart",
         str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = [json.loads((tmp_path / f"restart{n}.json").read_text())["killed"] for n in (0, 1)]
    assert found[0] == found[1]
    assert found[0][0] == "done"


def test_shares_are_all_of_the_rows():
    rows = np.arange(7, dtype=np.int32)
    samples = Samples(history=rows, candidates=rows[:, None], labels=rows[:, None] * 1.0)
    for of in (1, 2, 3, 7, 9):
        cuts = [samples.cut(7 * n // of, 7 * (n + 1) // of).history for n in range(of)]
        assert np.concatenate(cuts).tolist() == rows.tolist()
        assert max(map(len, cuts)) - min(map(len, cuts)) <= 1


def test_what_several_processes_do_not_do_is_refused(monkeypatch):
    world = World(rank=0, size=2)
    from legoc.training.energy import Energy

    for refuse in (
        lambda: verify_crew(world, 4, "processes"),
        lambda: verify_crew(world, None, "ray"),
        lambda: verify_together(world, Settings(device="cuda:1")),
        lambda: verify_together(world, Settings(energy=Energy(measured=True))),
    ):
        with pytest.raises(LegoError) as caught:
            refuse()
        assert caught.value.diagnostics[0].code == "E0567"
    verify_crew(ALONE, 4, "ray")
    verify_crew(world, 1, "processes")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(LegoError, match="RANK"):
        read_told()
    for name, value in (("RANK", "1"), ("MASTER_ADDR", "here"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    told = read_told()
    assert told is not None
    assert (told.rank, told.size, told.local) == (1, 2, 1)
    with pytest.raises(LegoError, match="`legoc tune` is work of one process, and 2"):
        verify_single("`legoc tune`")
