"""The folder of a language model: what is missing is named, nothing is opened."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from legoc.data.reading import model_hub
from legoc.data.reading.checkpoint import (
    checkpoint_digest,
    find_folder,
    obtain_folder,
    read_config,
    read_positions,
    read_vocabulary_size,
    verify_folder,
)
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.checkpoints import Named
from tests.lm_data.folders import make_folder


def named(folder=None, hub=None):
    return Named(op="LM", folder=None if folder is None else str(folder), hub=hub)


def refusal(call, *args, **kwargs):
    with pytest.raises(LegoError) as raised:
        call(*args, **kwargs)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.help
    return diagnostic


def test_a_whole_folder(tmp_path):
    folder = make_folder(tmp_path / "m")
    verify_folder(folder)
    assert find_folder(named(folder)) == obtain_folder(named(folder)) == folder


def test_a_folder_that_is_not_there(tmp_path):
    assert find_folder(named(tmp_path / "no")) is None
    found = refusal(obtain_folder, named(tmp_path / "no"))
    assert found.code == "E0650"
    assert str(tmp_path / "no") in found.message
    assert "path=" in found.help[0]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_what_is_missing_is_named(tmp_path, name):
    folder = make_folder(tmp_path / "m")
    (folder / name).unlink()
    found = refusal(verify_folder, folder)
    assert found.code == "E0651"
    assert name in found.message
    assert "save_pretrained" in found.help[0]


def test_a_tokenizer_of_the_users_own_stands_in(tmp_path):
    folder = make_folder(tmp_path / "m")
    whole = checkpoint_digest(folder, tmp_path / "cache")
    (folder / "tokenizer.json").unlink()
    verify_folder(folder, tokenizer=False)
    assert checkpoint_digest(folder, tmp_path / "cache") != whole


@pytest.mark.parametrize("name", ["pytorch_model.bin", "tf_model.h5"])
def test_weights_that_can_run_code_alone(tmp_path, name):
    folder = make_folder(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / name)
    found = refusal(verify_folder, folder)
    assert name in found.message
    assert "AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER)" in found.help[0]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"bert"', "\x00"], ids=["empty", "torn", "list", "text", "null"]
)
def test_a_damaged_configuration(tmp_path, text):
    folder = make_folder(tmp_path / "m")
    (folder / "config.json").write_text(text)
    assert "damaged `config.json`" in refusal(verify_folder, folder).message
    assert refusal(read_config, folder).code == "E0651"


def test_weights_that_break_off(tmp_path):
    folder = make_folder(tmp_path / "m")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    assert "damaged `model.safetensors`" in refusal(verify_folder, folder).message


def shard(folder):
    """The weights of a folder in two files with an index."""
    (folder / "model.safetensors").unlink()
    places = {}
    for number in (1, 2):
        name = f"model-0000{number}-of-00002.safetensors"
        save_file({f"w{number}": np.full(3, number, np.float32)}, folder / name)
        places[f"w{number}"] = name
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return index


def test_weights_in_several_files(tmp_path):
    folder = make_folder(tmp_path / "m")
    index = shard(folder)
    verify_folder(folder)
    before = checkpoint_digest(folder, tmp_path / "cache")
    second = folder / "model-00002-of-00002.safetensors"
    save_file({"w2": np.full(3, 9, np.float32)}, second)
    assert checkpoint_digest(folder, tmp_path / "cache") != before
    second.unlink()
    (folder / "pytorch_model.bin").touch()
    assert second.name in refusal(verify_folder, folder).message
    index.write_text(json.dumps({"weight_map": {"w": "../outside.safetensors"}}))
    assert index.name in refusal(verify_folder, folder).message
    index.write_text("{}")
    assert index.name in refusal(verify_folder, folder).message


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_the_digest_is_of_the_content(tmp_path, name):
    folder = make_folder(tmp_path / "m")
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    root = tmp_path / "cache"
    before = checkpoint_digest(folder, root)
    assert checkpoint_digest(copy, root) == before
    (copy / "notes.txt").write_text("no part of the model")
    assert checkpoint_digest(copy, root) == before
    with (copy / name).open("ab") as file:
        file.write(b" ")
    assert checkpoint_digest(copy, root) != before


@pytest.mark.parametrize(
    ("config", "positions"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "opt", "max_position_embeddings": 2048}, 2048),
        ({"model_type": "gpt2", "n_positions": 1024, "n_ctx": 1024}, 1024),
        ({"model_type": "llama", "max_position_embeddings": 4096}, 4096),
        ({"model_type": "t5", "n_positions": 512}, None),
        ({"model_type": "bloom", "seq_length": 2048}, None),
        ({"model_type": "xlnet", "max_position_embeddings": -1}, None),
        ({"model_type": "new"}, None),
    ],
)
def test_how_many_tokens_a_model_reads(config, positions):
    assert read_positions(config) == positions


@pytest.mark.parametrize("family", ["bert", "roberta", "opt", "gpt2", "llama", "mpnet"])
def test_the_library_agrees_on_positions(family):
    """The rows of the position table that the model of a small configuration has, less those that
    stand before its first position."""
    import torch
    from transformers import AutoConfig, AutoModel

    small = {
        "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 8, "max_position_embeddings": 34, "ffn_dim": 8,
        "word_embed_proj_dim": 8, "num_key_value_heads": 2,
    }  # fmt: skip
    config = AutoConfig.for_model(family, **small)
    most = read_positions(json.loads(config.to_json_string(use_diff=False)))
    model = AutoModel.from_config(config).eval()
    ids = torch.full((1, most), 5)
    assert model(input_ids=ids).last_hidden_state.shape == (1, most, 8)
    if family != "llama":
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, most + 1), 5))


def test_the_text_part_of_a_configuration(tmp_path):
    folder = make_folder(tmp_path / "m", text_config={"vocab_size": 77})
    assert read_vocabulary_size(read_config(folder), folder) == 77
    assert refusal(read_vocabulary_size, {"vocab_size": None}, folder).code == "E0651"


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    """No download on this machine, and none of another's."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


class Api:
    """A hub that answers as it is told."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self):
        return self

    def model_info(self, name, timeout):
        assert timeout <= 10
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_name_that_no_hub_answers(empty_hub, monkeypatch, capfd):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "HfApi", Api(ConnectionError("no route\nat all")))
    assert find_folder(named(hub="nobody/none")) is None
    found = refusal(obtain_folder, named(hub="nobody/none"))
    assert found.code == "E0650"
    assert "`nobody/none`" in found.message
    assert "cannot be reached" in found.message
    assert "path=" in found.help[0]
    assert found.notes == ("no route",)
    assert capfd.readouterr() == ("", "")


def test_without_permission_nothing_is_asked(empty_hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = refusal(obtain_folder, named(hub="nobody/none"))
    assert "HF_HUB_OFFLINE" in found.message


@pytest.mark.parametrize("name", ["a/b/c", "-x-", "a b"])
def test_what_is_no_name(empty_hub, name):
    assert find_folder(named(hub=name)) is None
    assert "no name of a model" in refusal(obtain_folder, named(hub=name)).message


def answered(status, kind):
    """An error of the hub's library for a status."""
    import httpx2
    from huggingface_hub import errors

    request = httpx2.Request("GET", "https://hub.invalid/x")
    return getattr(errors, kind)("said", response=httpx2.Response(status, request=request))


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [(403, "GatedRepoError", "licence"), (401, "RepositoryNotFoundError", "knows no such model")],
)
def test_a_hub_that_refuses(empty_hub, monkeypatch, status, kind, said):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "HfApi", Api(answered(status, kind)))
    assert said in refusal(obtain_folder, named(hub="nobody/none")).message


def info(*names):
    from types import SimpleNamespace

    return SimpleNamespace(sha="0" * 40, siblings=[SimpleNamespace(rfilename=n) for n in names])


def test_a_hub_without_safetensors(empty_hub, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "HfApi", Api(info("config.json", "pytorch_model.bin")))
    found = refusal(obtain_folder, named(hub="nobody/none"))
    assert found.code == "E0651"
    assert "safetensors" in found.message


def test_a_download_is_what_is_needed_and_then_known(empty_hub, monkeypatch, tmp_path):
    """Only the wanted files are asked for; the second time nobody is asked."""
    import huggingface_hub

    source = make_folder(tmp_path / "m")
    asked, said = [], []

    def fetch(name, *, local_files_only=False, revision=None, allow_patterns):
        if local_files_only:
            if not empty_hub.is_dir():
                raise huggingface_hub.errors.LocalEntryNotFoundError("nothing")
            return str(empty_hub)
        asked.append((name, revision, tuple(allow_patterns)))
        shutil.copytree(source, empty_hub)
        return str(empty_hub)

    class Progress:
        def say(self, text):
            said.append(text)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api(info("config.json", "model.safetensors")))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    for _ in range(2):
        assert obtain_folder(named(hub="nobody/none"), Progress()) == empty_hub
    assert asked == [("nobody/none", "0" * 40, model_hub.WANTED)]
    assert len(said) == 1
    assert "nobody/none" in said[0]
    # What an interrupted download left is no model.
    (empty_hub / "model.safetensors").unlink()
    assert find_folder(named(hub="nobody/none")) is None


def test_the_library_speaks_again_afterwards():
    import logging

    from huggingface_hub.utils import are_progress_bars_disabled

    logger = logging.getLogger("huggingface_hub")
    level, bars = logger.level, are_progress_bars_disabled()
    with model_hub.silenced():
        assert not logger.isEnabledFor(logging.ERROR)
        assert are_progress_bars_disabled()
    assert (logger.level, are_progress_bars_disabled()) == (level, bars)
