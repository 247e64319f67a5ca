"""A bundle carries hard texts with their ids, and a runtime that reads them otherwise says so."""

import json

import pytest

import legoc_runtime
from legoc_runtime import BundleError
from tests.data.hard_texts import HARD as OTHERS
from tests.runtime.bundles import rewrite


def test_a_bundle_carries_the_ids_of_hard_texts(bundle):
    from legoc.exporting.hard_texts import HARD, TEXTS

    model = legoc_runtime.load(bundle)
    assert model.manifest["probes"] == {"texts": TEXTS}
    probes = json.loads((bundle / TEXTS).read_text("utf-8"))["probes"]
    assert [probe["record"]["title"] for probe in probes] == [*HARD]
    assert not {*HARD} & {*OTHERS} - {""}
    # By the tokenizer of the bundle itself, cut to the length of the title.
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(bundle / "tokenizers/words/tokenizer.json"))
    words.no_truncation()
    words.no_padding()
    for probe in probes:
        ids = words.encode(probe["record"]["title"], add_special_tokens=False).ids
        assert probe["ids"] == {"title": ids[:16]}
    assert sum(map(len, (probe["ids"]["title"] for probe in probes))) > 100
    assert model.self_test().texts == len(probes)


def test_a_host_that_reads_one_otherwise_says_so(bundle, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    path = copy / "probes/texts.json"
    probes = json.loads(path.read_text("utf-8"))
    probes["probes"][5]["ids"]["title"][-1] += 1
    path.write_text(json.dumps(probes), "utf-8")
    rewrite(copy, lambda content: None)
    with pytest.raises(BundleError, match="other tokens here than in training"):
        legoc_runtime.load(copy).self_test()
    path.write_text('{"probes": 3}', "utf-8")
    rewrite(copy, lambda content: None)
    with pytest.raises(BundleError, match=r"probes/texts.json. holds no probes"):
        legoc_runtime.load(copy).self_test()
