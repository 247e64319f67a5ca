"""An interrupted training ends with the same bytes as one that was not."""

import errno
import os
import signal
import threading

import pytest
import torch
from safetensors.torch import load_file

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.failures import diagnosed
from legoc.model.run import Run
from legoc.tensor_files import save_tensors
from legoc.training import files, record
from legoc.training.checkpoint import state_path
from legoc.training.folder import clean
from legoc.training.interrupt import Interruptions, Terminated
from legoc.training.loop import fit


def read_log(job):
    """The log without its times."""
    text = (job.folder / "log.jsonl").read_text()
    return [line.partition(', "seconds"')[0] for line in text.splitlines()]


def assert_same(job, other):
    for name in ("best.safetensors",):
        one, two = load_file(job.folder / name), load_file(other.folder / name)
        assert all(torch.equal(one[key], two[key]) for key in one | two)
    one, two = job.module.state_dict(), other.module.state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert read_log(job) == read_log(other)
    assert not state_path(job.folder).exists()


class Breaking:
    """Calls through to `inner`, raising at the n-th call."""

    def __init__(self, inner, at, error=KeyboardInterrupt):
        self.inner, self.at, self.error, self.calls = inner, at, error, 0

    def __call__(self, *args):
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return self.inner(*args)


def interrupt(make_job, make_toy, where, at, error, **changes):
    """A job that stops at the n-th batch, loss or evaluation, and its continuation as by a new
    process: everything but the folder is made anew."""
    job = make_job("broken", **changes)
    target = {"batch": job.sampler, "loss": job, "validate": job}[where]
    broken = Breaking(getattr(target, where), at, error)
    object.__setattr__(target, where, broken)
    with pytest.raises(error):
        fit(job)
    assert broken.calls == at
    again = make_job("broken", **changes)
    fit(again)
    return again


@pytest.mark.parametrize(
    ("where", "at"),
    [("batch", 1), ("batch", 4), ("batch", 6), ("batch", 15),
     ("loss", 1), ("loss", 3), ("loss", 6), ("validate", 1), ("validate", 2), ("validate", 3)],
)  # fmt: skip
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_anywhere_the_weights_and_the_log_are_the_same(
    make_job, make_toy, make_sampler, where, at, error
):
    """KeyboardInterrupt saves the state where it is consistent; a crash (RuntimeError) falls back
    to the last one saved."""
    changes = {"schedule": "cosine", "warmup": 0.1, "clip": 1.0, "average": 7}
    straight = make_job("straight", sampler=make_sampler(), **changes)
    fit(straight)
    resumed = interrupt(make_job, make_toy, where, at, error, **changes)
    assert_same(resumed, straight)


def test_accumulated_updates_resume_too(make_job, make_toy):
    changes = {"accumulate": 2, "optimizer": "sgd"}
    straight = make_job("straight", **changes)
    fit(straight)
    assert_same(interrupt(make_job, make_toy, "batch", 9, KeyboardInterrupt, **changes), straight)


def test_a_state_between_epochs_is_saved_by_time(make_job, make_toy):
    """A crash in a long epoch loses no more than `save_every`."""
    job = make_job("broken", save_every=0.0)
    first = Breaking(job.loss, 4, RuntimeError)
    object.__setattr__(job, "loss", first)
    with pytest.raises(RuntimeError):
        fit(job)
    again = make_job("broken")
    counted = Breaking(again.loss, 0)
    object.__setattr__(again, "loss", counted)
    fit(again)
    assert counted.calls == 15 - 3


def test_a_real_signal_lands_between_updates(make_job, make_toy):
    """SIGINT during the loss, inside an update, waits for its end and is then saved."""
    before = signal.getsignal(signal.SIGINT)  # a shell may have started us with it ignored
    straight = make_job("straight")
    fit(straight)
    job = make_job("broken")
    calls = []

    def loss(scores, labels, inner=job.loss):
        calls.append(1)
        if len(calls) == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return inner(scores, labels)

    object.__setattr__(job, "loss", loss)
    with pytest.raises(KeyboardInterrupt):
        fit(job)
    assert len(calls) == 7
    again = make_job("broken")
    counted = Breaking(again.loss, 0)
    object.__setattr__(again, "loss", counted)
    fit(again)
    assert counted.calls == 15 - 7
    assert_same(again, straight)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_does_not_wait():
    def work(guard):
        with guard.together():
            guard.receive(signal.SIGINT, None)
            guard.receive(signal.SIGINT, None)
            raise AssertionError("the second interrupt should have raised")

    with Interruptions() as guard:
        with pytest.raises(KeyboardInterrupt):
            work(guard)
        assert not guard.consistent


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, None)])
def test_an_extension_that_replaces_the_exception_does_not_hide_the_signal(number, status):
    def wait():
        """As Ray does: the handler's exception is dropped, and one of its own raised."""
        try:
            os.kill(os.getpid(), number)
            raise AssertionError("the signal should have raised")
        except KeyboardInterrupt:
            pass
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as info, Interruptions(), Interruptions():
        wait()
    assert getattr(info.value, "status", None) == status


def test_training_in_another_thread_installs_no_handler(make_job):
    job = make_job()
    worker = threading.Thread(target=fit, args=(job,))
    worker.start()
    worker.join()
    assert (job.folder / "best.safetensors").is_file()


def test_the_limit_counts_earlier_sittings(make_job, make_ticking):
    time = make_ticking()
    changes = {"limit": 9.0, "epochs": 50}
    job = make_job("broken", loss=time.loss, clock=time.clock, **changes)
    object.__setattr__(job, "validate", Breaking(job.validate, 1))
    with pytest.raises(KeyboardInterrupt):
        fit(job)
    assert time.now == 5
    later = make_ticking(1000.0)
    outcome = fit(make_job("broken", loss=later.loss, clock=later.clock, **changes))
    assert (outcome.reason, outcome.seconds, later.now) == ("limit", 9.0, 1004.0)


def test_a_damaged_or_foreign_state_is_an_error(make_job, make_toy):
    for number, spoil in enumerate(
        (
            lambda path: path.write_bytes(path.read_bytes()[:100]),
            lambda path: path.write_bytes(b""),
        )
    ):
        job = make_job(f"broken{number}")
        object.__setattr__(job.sampler, "batch", Breaking(job.sampler.batch, 3))
        with pytest.raises(KeyboardInterrupt):
            fit(job)
        spoil(state_path(job.folder))
        with pytest.raises(LegoError) as caught:
            fit(make_job(f"broken{number}"))
        assert caught.value.diagnostics[0].code == "E0554"
    job = make_job("other")
    object.__setattr__(job.sampler, "batch", Breaking(job.sampler.batch, 3))
    with pytest.raises(KeyboardInterrupt):
        fit(job)
    with pytest.raises(LegoError) as caught:
        fit(make_job("other", module=make_toy(norm=False)))
    assert caught.value.diagnostics[0].code == "E0554"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_to_stop_save_as_ctrl_c_does(make_job, number):
    """Docker and SLURM send SIGTERM, a terminal that closes SIGHUP; the exit code tells which."""
    before = signal.getsignal(number)
    straight = make_job("straight")
    fit(straight)
    job = make_job("broken")
    calls = []

    def loss(scores, labels, inner=job.loss):
        calls.append(1)
        if len(calls) == 7:
            os.kill(os.getpid(), number)
        return inner(scores, labels)

    object.__setattr__(job, "loss", loss)
    with pytest.raises(Terminated) as caught:
        fit(job)
    assert caught.value.status == 128 + number
    assert len(calls) == 7
    again = make_job("broken")
    fit(again)
    assert_same(again, straight)
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_so(make_job):
    """As under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        job = make_job()
        inner = job.loss

        def loss(scores, labels):
            os.kill(os.getpid(), signal.SIGHUP)
            return inner(scores, labels)

        object.__setattr__(job, "loss", loss)
        assert fit(job).reason == "epochs"
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("limit", [7.0, 10.0, 12.0, 14.0])
def test_with_more_time_a_limit_leaves_no_trace(make_job, make_ticking, make_toy, limit):
    """Ended within an epoch (7, 12, 14 of 5 updates each) or between two (10), and gone on with
    later, a training is the one that never was limited, and so is each ending on the way."""
    worth = [0.5, 0.9, 0.6]

    def values(module, worth=worth):
        """A validation whose second epoch is the best, and a broken one better than all."""

        def validate():
            broken = 0.95 if time.now % 5 else worth[int(time.now) // 5 - 1]
            return {"AUC": broken}

        return validate

    time = make_ticking()
    module = make_toy()
    straight = make_job("straight", module=module, loss=time.loss, validate=values(module))
    fit(straight)
    time = make_ticking()
    job = make_job("broken", loss=time.loss, clock=time.clock, validate=values(None), limit=limit)
    end = fit(job)
    assert (end.reason, end.seconds) == ("limit", limit)
    cut = load_file(job.folder / "best.safetensors")
    assert Run(job.folder).finished
    assert Run(job.folder).end["reason"] == "limit"
    # Another one ends further on; the last has all the time of the world.
    if limit == 7.0:
        again = make_job(
            "broken", loss=time.loss, clock=time.clock, validate=values(None), limit=8.0
        )
        assert fit(again).seconds == 8.0
    again = make_job("broken", loss=time.loss, clock=time.clock, validate=values(None))
    end = fit(again)
    assert (end.reason, end.best_epoch, end.best) == ("epochs", 2, 0.9)
    assert_same(again, straight)
    assert not (job.folder / "resume").exists()
    best = load_file(job.folder / "best.safetensors")
    same = all(torch.equal(best[name], cut[name]) for name in best)
    assert same == (limit == 10.0)


def test_interrupted_behind_its_end_a_training_stays_ended(make_job):
    """Ctrl-C while the state is removed must not write it again."""
    job = make_job()
    dropped = record.drop_state

    def interrupted(folder):
        dropped(folder)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "drop_state", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(job)
    assert not state_path(job.folder).exists()
    assert [line for line in read_log(job) if '"end"' in line] == read_log(job)[-1:]


@pytest.mark.parametrize("step", ["written", "unlinked"])
def test_killed_while_it_cleans_up_a_training_counts_as_finished(make_job, step):
    job = make_job()

    def killed(folder):
        if step == "unlinked":
            state_path(folder).unlink()
        raise MemoryError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "drop_state", killed)
        with pytest.raises(MemoryError):
            fit(job)
    assert (job.folder / "resume").is_dir()
    assert Run(job.folder).finished
    clean(job.folder)
    assert Run(job.folder).finished
    assert not (job.folder / "resume").exists()


def test_a_full_disk_leaves_the_last_state(make_job, monkeypatch):
    """The third state breaks off within the file; the message names it, and the second serves."""
    straight = make_job("straight")
    fit(straight)
    calls = []

    def save(path, tensors, note=""):
        calls.append(1)
        if len(calls) == 3:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        save_tensors(path, tensors, note)

    job = make_job("broken", save_every=0.0)
    with monkeypatch.context() as patch:
        patch.setattr(files, "save_tensors", save)
        with pytest.raises(OSError, match="No space") as caught:
            fit(job)
    (found,) = diagnosed(caught.value)
    assert found.code == "E0562"
    assert found.message == f"`{state_path(job.folder)}`: no space left on device"
    assert [path.name for path in state_path(job.folder).parent.iterdir()] == ["state.safetensors"]
    again = make_job("broken")
    fit(again)
    assert_same(again, straight)
