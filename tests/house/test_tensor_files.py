"""What is written to a safetensors file is what was given, however it lies in memory."""

import errno
import json

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from safetensors.torch import load_file as load_tensors

from legoc import tensor_files
from legoc.tensor_files import save_arrays, save_tensors


ARRAYS = {
    "rows": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "fortran": np.asfortranarray(np.arange(12, dtype=np.int32).reshape(3, 4)),
    "steps": np.arange(20, dtype=np.int64)[::3],
    "back": np.arange(5, dtype=np.uint8)[::-1],
    "swapped": np.arange(24, dtype=np.float64).reshape(2, 3, 4).transpose(2, 0, 1),
    "flags": (np.arange(6).reshape(2, 3) % 2 == 0).T,
    "half": np.arange(6, dtype=np.float16).reshape(3, 2).T,
    "none": np.zeros((0, 7), dtype=np.float32),
    "one": np.array(2.5, dtype=np.float32),
    "spread": np.broadcast_to(np.float32(3), (2, 5)),
}


def test_arrays_of_any_order(tmp_path):
    path = tmp_path / "x.safetensors"
    save_arrays(path, ARRAYS)
    found = load_file(path)
    assert found.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype
        assert found[name].shape == values.shape
        assert np.array_equal(found[name], values), name


def test_tensors_of_any_order_and_tied(tmp_path):
    path = tmp_path / "x.safetensors"
    whole = torch.randn(3, 4)
    given = {
        "plain": whole, "turned": whole.T, "tied": whole, "part": whole[1:, ::2],
        "brain": whole.bfloat16().T, "none": torch.zeros(0, 3), "one": torch.tensor(2.5),
        "flags": whole > 0, "grown": whole[:, :1].expand(3, 5),
    }  # fmt: skip
    save_tensors(path, given, "note")
    found = load_tensors(path)
    for name, value in given.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value), name


def test_the_same_bytes_every_time(tmp_path):
    """The library writes several entries of metadata in an order of chance, and we write one."""
    made: set[bytes] = set()
    for place in range(20):
        path = tmp_path / f"{place}.safetensors"
        save_tensors(path, {"x": torch.arange(4), "a": torch.ones(2)}, note="of 3 epochs")
        made.add(path.read_bytes())
    assert len(made) == 1
    (content,) = made
    size = int.from_bytes(content[:8], "little")
    assert json.loads(content[8 : 8 + size])["__metadata__"] == {"note": "of 3 epochs"}
    two = {"one": "1", "two": "2"}
    assert len({save({"x": np.arange(4)}, metadata=two) for _ in range(60)}) == 2


def test_a_library_that_scrambles_is_found_out(tmp_path, monkeypatch):
    """As safetensors 0.8 does: give it the memory as it lies."""
    monkeypatch.setattr(np, "asarray", lambda values, order=None: values)
    with pytest.raises(OSError, match="`columns` is not what was written"):
        save_arrays(tmp_path / "x.safetensors", {"columns": ARRAYS["columns"]})


def test_long_tensors_are_compared_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(tensor_files, "AT_ONCE", 16)
    path = tmp_path / "x.safetensors"
    values = np.arange(37, dtype=np.uint8)
    save_arrays(path, {"x": values})
    tensor_files.verify(path, {"x": values})
    for place in (0, 15, 16, 36):
        other = values.copy()
        other[place] ^= 1
        with pytest.raises(OSError, match="`x` is not"):
            tensor_files.verify(path, {"x": other})
    with pytest.raises(OSError, match="`x` is not"):
        tensor_files.verify(path, {"x": values[:-1]})


def test_an_error_of_the_disk_is_one_of_python(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError) as caught:
        save_arrays(tmp_path / "nowhere/x.safetensors", ARRAYS)
    assert caught.value.filename == str(tmp_path / "nowhere/x.safetensors")

    def full(*_, **__):
        raise SafetensorError("Error while serializing: I/O error: No space (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="No space") as caught:
        save_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(2)})
    assert caught.value.errno == errno.ENOSPC
