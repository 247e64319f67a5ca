"""What a sweep on Ray decides and says, without Ray."""

import json
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import legoc
from legoc.commands.cli import main
from legoc.language.diagnosing.document import Document
from legoc.training.cluster import machines as places
from legoc.training.cluster import task
from legoc.training.cluster.machines import Machine, Share
from legoc.training.cluster.post import Post
from legoc.training.cluster.session import (
    Muffled,
    environment,
    infer_address,
    kept_signals,
    remote_environment,
    verify_ray,
    verify_reached,
)
from legoc.training.jobs.known import Known


TEXT = """data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 1 samples = 128 }
run m on d with t
"""
SMALL = Machine(id="a", name="small", cpus=4, gpus=0, memory=1000)
LARGE = Machine(id="b", name="large", cpus=16, gpus=2, memory=9000)


def known(need: int) -> Known:
    return Known(folder="runs/m-0", finished=False, need=need, work=1.0, resident=0)


def code(info: pytest.ExceptionInfo[legoc.LegoError]) -> tuple[str, str]:
    (one,) = info.value.diagnostics
    return one.code, f"{one.message}; {' '.join(one.help)}"


def test_how_many_runs_a_machine_holds() -> None:
    assert SMALL.holds(Share(cpus=1, gpus=0, memory=300)) == 3
    assert SMALL.holds(Share(cpus=2, gpus=0, memory=300)) == 2
    assert SMALL.holds(Share(cpus=1, gpus=1)) == 0
    assert LARGE.holds(Share(cpus=1, gpus=1, memory=300)) == 2


def test_a_run_is_given_the_memory_it_needs_or_all_of_a_machine_that_can_have_it() -> None:
    found = places.choose_shares(
        Share(cpus=1, gpus=0), {0: known(300), 5: known(20000)}, [SMALL, LARGE]
    )
    assert [found[0].memory, found[5].memory] == [300, 9000]
    # A machine without a GPU is none for a run that has one.
    found = places.choose_shares(
        Share(cpus=1, gpus=1),
        {0: known(20000)},
        [Machine(**{**vars(SMALL), "memory": 10**6}), LARGE],
    )
    assert found[0] == Share(cpus=1, gpus=1, memory=9000)


def test_the_device_of_all_runs() -> None:
    assert places.infer_device(None, [SMALL]) == "cpu"
    assert places.infer_device(None, [SMALL, LARGE]) == "cuda"
    assert places.infer_device("cpu", [LARGE]) == "cpu"
    with pytest.raises(legoc.LegoError) as info:
        places.infer_device("cuda:1", [LARGE])
    assert code(info)[0] == "E0566"
    assert places.infer_share(3, "cuda", [SMALL, LARGE]) == Share(cpus=3, gpus=1)


@pytest.mark.parametrize(
    ("threads", "device", "machines", "said"),
    [
        (17, "cpu", [SMALL, LARGE], "the largest has 16 CPUs; give `--threads 16`"),
        (1, "cuda", [SMALL], "no machine of the cluster offers a GPU; give `--device cpu`"),
        (1, "cpu", [], "the largest has 0 CPUs"),
    ],
)
def test_a_run_that_would_wait_for_ever_is_refused(
    threads: int, device: str, machines: list[Machine], said: str
) -> None:
    with pytest.raises(legoc.LegoError) as info:
        places.infer_share(threads, device, machines)
    found, text = code(info)
    assert found == "E0566"
    assert said in text


def look(probes: list[str]) -> dict[str, Any]:
    return task.look_around(probes, ".a", patience=0.0)


def test_a_machine_that_shares_the_folders_is_taken(tmp_path: Path) -> None:
    with places.probing((tmp_path / "runs", tmp_path / "cache", tmp_path / "runs")) as probes:
        assert len(probes) == 2
        found = look(probes)
        places.verify_answer(SMALL, found, probes, legoc.__version__)
        task.verify_seen(probes, patience=0.0)
        assert len(list(tmp_path.glob("*/.probe-*"))) == 4
    assert not list(tmp_path.glob("*/.probe-*"))


def test_a_machine_that_does_not_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PATIENCE", 0.0)
    with places.probing((tmp_path / "runs",)) as probes:
        there = look([str(tmp_path / "elsewhere/.probe-0")])
        with pytest.raises(legoc.LegoError) as info:
            places.verify_answer(SMALL, {**there, "unseen": probes}, probes, legoc.__version__)
        said = f"the worker on small does not see what lies in `{tmp_path}/runs`"
        assert code(info)[0] == "E0565"
        assert said in code(info)[1]
        # It says that it sees it, and what it has written there is not seen here.
        with pytest.raises(legoc.LegoError) as info:
            places.verify_answer(SMALL, {**there, "unseen": []}, probes, legoc.__version__)
        assert said in code(info)[1]
        with pytest.raises(legoc.LegoError) as info:
            places.verify_answer(SMALL, look(probes), probes, "0.0.9")
        assert f"legoc is 0.0.9 here and {legoc.__version__} on small" in code(info)[1]
        with pytest.raises(legoc.LegoError) as info:
            places.verify_answer(
                SMALL, {**look(probes), "refused": {probes[0]: "Read-only file system"}}, probes,
                legoc.__version__,
            )  # fmt: skip
        assert "cannot write to" in code(info)[1]
    with pytest.raises(legoc.LegoError) as info:
        task.verify_seen(probes, patience=0.0)
    assert code(info)[0] == "E0565"


def test_what_is_said_is_taken_once_and_in_order() -> None:
    post = Post()
    for place, text in enumerate("abc"):
        post.hear(place, text)
    assert post.take() == [(0, "a"), (1, "b"), (2, "c")]
    assert post.take() == []


def test_a_task_that_is_cancelled_says_so_and_one_that_is_terminated_ends_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from legoc.training.interrupt import Terminated

    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    order = json.dumps({"folder": str(tmp_path), "probes": []})
    monkeypatch.chdir(tmp_path)

    def stop(error: BaseException) -> None:
        def work(order: object, wire: object) -> None:
            raise error

        monkeypatch.setattr(task, "work", work)

    stop(KeyboardInterrupt())
    assert json.loads(task.do_order(order, 0, None)) == {"stopped": True}
    stop(Terminated(signal.SIGTERM))
    with pytest.raises(SystemExit) as info:
        task.do_order(order, 0, None)
    assert info.value.code == 143


def test_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert infer_address(None) == "local"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert infer_address(None) == "10.0.0.1:6379"
    assert infer_address("auto") == "auto"
    with pytest.raises(legoc.LegoError) as info:
        infer_address("ray://10.0.0.1:10001")
    assert code(info)[0] == "E0564"
    spec = legoc.language.check(Document("m.lego", TEXT)).specs[0]
    with pytest.raises(legoc.LegoError) as info:
        legoc.train_all([spec], address="auto")
    assert code(info)[0] == "E0564"


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(legoc.LegoError) as info:
            verify_reached(address)
        assert code(info)[0] == "E0564"
        assert f"there is no Ray at `{address}`: Connection refused" in code(info)[1]
        taken.listen()
        verify_reached(address)
    for address in ("auto", "local", "10.0.0.1:port"):
        verify_reached(address)
    with pytest.raises(legoc.LegoError):
        verify_reached("127.0.0.1:70000")


def test_without_ray_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "m.lego").write_text(TEXT, encoding="utf-8")
    flags = ("--runs", str(tmp_path / "runs"), "--engine", "ray")
    assert main(["train", str(tmp_path / "m.lego"), *flags]) == 1
    said = capsys.readouterr().err
    assert "E0563" in said
    assert "pip install 'legoc[ray]'" in said
    assert not (tmp_path / "runs").exists()
    with pytest.raises(legoc.LegoError):
        verify_ray()


def test_environment_and_signals_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.delenv("RAY_OTHER", raising=False)
    import os

    with environment({"RAY_USAGE_STATS_ENABLED": "0", "RAY_OTHER": "x"}):
        assert (os.environ["RAY_USAGE_STATS_ENABLED"], os.environ["RAY_OTHER"]) == ("0", "x")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "1"
    assert "RAY_OTHER" not in os.environ
    before = signal.getsignal(signal.SIGTERM)
    with kept_signals():
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_machines_look_for_modules_where_this_one_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "own:/shared/lib")
    assert remote_environment() == {"env_vars": {"PYTHONPATH": f"{tmp_path}/own:/shared/lib"}}
    monkeypatch.delenv("PYTHONPATH")
    assert remote_environment() == {}


def test_threads_of_ray_do_not_print(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Muffled(sys.stdout)
    for name in ("ray_listen_error_messages", "other"):
        thread = threading.Thread(name=name, target=print, args=(name,), kwargs={"file": stream})
        thread.start()
        thread.join()
    print("main", file=stream)
    assert capsys.readouterr().out == "other\nmain\n"
    assert stream.encoding == sys.stdout.encoding
