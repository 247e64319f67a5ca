"""Disks that are full and folders that are closed: a diagnostic, and nothing half-written."""

import errno
import os

import duckdb
import numpy as np
import pytest

from legoc.commands.cli import main
from legoc.commands.failure import answer
from legoc.data.reading import mapped
from legoc.data.reading.mapped import map_matrix
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model import state_files
from legoc.model.state_files import reserve
from legoc.training.machine import environment_threads


def refusing(number):
    def refuse(*_given):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_states_without_room_are_refused_before_they_are_computed(number, tmp_path, monkeypatch):
    monkeypatch.setattr(state_files.os, "posix_fallocate", refusing(number), raising=False)
    path = tmp_path / "states" / ".part" / "states.bin"
    path.parent.mkdir(parents=True)
    with pytest.raises(LegoError) as caught:
        reserve(path, 3 << 30)
    (found,) = caught.value.diagnostics
    assert found.code == "E0562"
    assert "3.0 GiB" in found.message
    assert f"`{tmp_path / 'states'}`" in found.message
    assert path.stat().st_size == 0


def test_a_file_system_that_cannot_tell_is_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        state_files.os, "posix_fallocate", refusing(errno.EOPNOTSUPP), raising=False
    )
    reserve(tmp_path / "states.bin", 5000)
    assert (tmp_path / "states.bin").stat().st_size == 5000
    reserve(tmp_path / "states.bin", 0)
    assert (tmp_path / "states.bin").stat().st_size == 0


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="nothing to reserve with")
def test_room_is_really_taken(tmp_path):
    reserve(tmp_path / "states.bin", 1 << 20)
    status = (tmp_path / "states.bin").stat()
    assert status.st_size == 1 << 20
    assert status.st_blocks * 512 >= 1 << 20


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="nothing to reserve with")
def test_a_mapped_matrix_has_room_before_it_is_written(tmp_path, monkeypatch, capsys):
    made = map_matrix(tmp_path / "a.npy", np.int32, (300, 7))
    made[:] = np.arange(2100).reshape(300, 7)
    made.flush()
    assert np.array_equal(np.load(tmp_path / "a.npy"), np.arange(2100).reshape(300, 7))
    status = (tmp_path / "a.npy").stat()
    map_matrix(tmp_path / "b.npy", np.int32, (300, 7))
    assert (tmp_path / "b.npy").stat().st_blocks * 512 >= status.st_size == 128 + 2100 * 4
    monkeypatch.setattr(mapped.os, "posix_fallocate", refusing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space") as caught:
        map_matrix(tmp_path / "c.npy", np.int32, (300, 7))
    assert answer(caught.value) == 1
    assert f"E0562]: `{tmp_path / 'c.npy'}`: no space" in capsys.readouterr().err
    monkeypatch.setattr(mapped.os, "posix_fallocate", refusing(errno.EOPNOTSUPP))
    assert not map_matrix(tmp_path / "d.npy", np.int32, (300, 7)).any()


def test_a_cache_that_cannot_be_is_no_defect_of_ours(tmp_path, capsys):
    spec = tmp_path / "m.lego"
    spec.write_text("content Pooling(hidden=8) -> behavior Pooling -> predict Dot\n")
    (tmp_path / "file").write_text("")
    assert main(["data", str(spec), "--cache", str(tmp_path / "file" / "cache")]) == 1
    said = capsys.readouterr().err
    assert "error[E0562]" in said
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no folder that refuses everything")
@pytest.mark.parametrize("flag", ["--cache", "--runs"])
def test_folders_that_the_system_will_not_make_are_no_defect_of_ours(flag, tmp_path, capsys):
    spec = tmp_path / "m.lego"
    spec.write_text(
        "data d { source = Demo(items=200, users=60, impressions=100) content = [title(8)] }\n"
        "model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot\nrun m on d\n"
    )
    folders = {"--cache": str(tmp_path / "cache"), "--runs": str(tmp_path / "runs")}
    given = [word for pair in {**folders, flag: "/proc/x"}.items() for word in pair]
    assert main(["train", str(spec), *given]) == 1
    said = capsys.readouterr().err
    assert "error[E0562]: `/proc/x`: no such file or directory" in said
    assert "Traceback" not in said


def test_libraries_with_errors_of_their_own_are_understood(tmp_path, capsys):
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    with pytest.raises(SafetensorError) as caught:
        save_file({"a": np.zeros(3)}, tmp_path)
    assert "os error" in str(caught.value)
    assert answer(SafetensorError("I/O error: No space left on device (os error 28)")) == 1
    assert "E0562]: a file cannot be written: no space left" in capsys.readouterr().err
    duck = (
        'IO Error: Async write failed for range [offset=646, size=127]: {"exception_type":"IO",'
        '"exception_message":"Could not write file \\"/small/c/histories.parquet\\": No space '
        'left on device","errno":"28"}'
    )
    assert answer(duckdb.IOException(duck)) == 1
    assert "E0562]: `/small/c/histories.parquet`: no space left" in capsys.readouterr().err
    ended = RuntimeError("a worker ended")
    ended.__cause__ = OSError(errno.EROFS, "", "/closed/file")
    assert answer(ended) == 1
    assert "E0562]: `/closed/file`: read-only file system" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["-3", "0", "100000", "many"])
def test_threads_that_no_process_has_are_refused_as_they_are_typed(given, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "m.lego", "--threads", given])
    assert caught.value.code == 2
    assert "--threads" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "threads"), [("4,2", 4), ("", 0), ("many", 0), ("-3", 0)])
def test_threads_of_the_environment(said, threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert environment_threads() == threads


def test_other_errors_of_the_system_are_still_defects(capsys):
    assert answer(FileNotFoundError(errno.ENOENT, "No such file or directory", "x")) == 70
    assert "defect of legoc" in capsys.readouterr().err
    assert answer(OSError(errno.ENOSPC, "No space left on device")) == 1
    assert "E0562" in capsys.readouterr().err
    assert answer(OSError(errno.EBADF, "Bad file descriptor")) == 70
    assert "defect of legoc" in capsys.readouterr().err
