"""Shipped specs of language models, proved on a tiny folder in the place of the published one."""

from pathlib import Path

import pytest

from legoc.language import check
from legoc.language.ir.checkpoints import content_model
from legoc.proving import prove
from tests.lm_data.folders import make_bert


SPECS = Path(__file__).resolve().parents[2] / "specs"


PUBLISHED = {
    "bert_dcn": "google-bert/bert-base-uncased",
    "dire": "huggyllama/llama-7b",
    "iisan_nrms": "google-bert/bert-base-uncased",
    "llama_naml": "meta-llama/Meta-Llama-3-8B",
    "miner_bert": "google-bert/bert-base-uncased",
    "once": "huggyllama/llama-7b",
    "plmnr": "google-bert/bert-base-uncased",
}
# PLM-NR counts its split from below, so the model must have as many blocks as the published one.
BLOCKS = {"plmnr": 12}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_spec_is_proved_on_a_tiny_model(tmp_path, cache, name):
    """Built, trained, exported and equal in every engine; what it names is a published model."""
    (published,) = check(SPECS / f"{name}.lego").specs
    assert content_model(published)[1].hub == PUBLISHED[name]
    folder = make_bert(tmp_path / "bert", num_hidden_layers=BLOCKS.get(name, 2))
    path = f"{name}.content.path={folder}"
    proven = prove(SPECS / f"{name}.lego", out=tmp_path, cache=cache, overrides=[path])
    assert not proven.red, proven.red
    assert len(proven.records) == 1


def test_the_decoupled_twin_says_how_its_vectors_are_made():
    """The command in the head of the spec names the file that the spec reads."""
    text = (SPECS / "dire_decoupled.lego").read_text(encoding="utf-8")
    (spec,) = check(SPECS / "dire_decoupled.lego").specs
    file = Path(spec.model["content"]["file"])
    (line,) = [line for line in text.splitlines() if "legoc embed" in line]
    assert line.endswith(f"-o specs/{file.relative_to(SPECS)}")
