"""Disks that are full and folders that are closed: a diagnostic, and nothing half-written."""

import errno
import os

import pytest

from legoc.commands.cli import main
from legoc.commands.failure import answer
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model import state_files
from legoc.model.state_files import reserve


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


def test_a_cache_that_cannot_be_is_no_defect_of_ours(tmp_path, capsys):
    spec = tmp_path / "m.lego"
    spec.write_text("content Pooling(hidden=8) -> behavior Pooling -> predict Dot\n")
    (tmp_path / "file").write_text("")
    assert main(["data", str(spec), "--cache", str(tmp_path / "file" / "cache")]) == 1
    said = capsys.readouterr().err
    assert "error[E0562]" in said
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said


def test_other_errors_of_the_system_are_still_defects(capsys):
    assert answer(OSError(errno.ENOSPC, "No space left on device")) == 1
    assert "E0562" in capsys.readouterr().err
    assert answer(OSError(errno.EBADF, "Bad file descriptor")) == 70
    assert "defect of legoc" in capsys.readouterr().err
