"""From a spec to everything a model reads; a second start reads the cache."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from legoc.data import Prepared, prepare
from legoc.data.reading.inputs import IdTable, TokenTable
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call, Data, Export, Keys, Spec, Types


DEMO = Call(op="Demo", args={"seed": 1, "items": 300, "users": 120, "impressions": 900})
TITLE = Attribute(name="title", kind="text", length=16)
CATEGORY = Attribute(name="category", kind="category", length=1)


def make_spec(content="CNN", source=DEMO, **data):
    """A spec by hand: what the front end gives, as far as the data reads it. `data` are fields of
    its record, `reads` another `content` list."""
    if "reads" in data:
        data["content"] = data.pop("reads")
    settings = {
        "source": source, "content": (TITLE, CATEGORY), "history": 20,
        "split": Call(op="publisher"), "group": "impression",
    }  # fmt: skip
    return Spec(
        name="hand",
        model={
            "content": Call(op=content, args={"hidden": 8}),
            "behavior": Call(op="Additive", args={}),
            "predict": Call(op="Dot", args={}),
        },
        data=Data(**{**settings, **data}),
        train=None,
        export=Export(),
        types=Types(item="Vec[8]", user="Vec[8]"),
        keys=Keys(item="", user="", prefix="", spec=""),
    )


def test_a_model_of_fields(demo_cache):
    prepared = prepare(make_spec(), cache=demo_cache)
    assert isinstance(prepared, Prepared)
    assert isinstance(prepared.inputs, TokenTable)
    assert [port.name for port in prepared.inputs.ports] == [
        "title", "title_mask", "category", "category_mask",
    ]  # fmt: skip
    rows = prepared.inputs.rows(np.array([1, 2], dtype=np.int32))
    assert list(rows) == [port.name for port in prepared.inputs.ports]
    assert prepared.rows.items == len(prepared.items) == len(prepared.inputs.lengths)
    assert prepared.rows.users == len(prepared.users)
    assert prepared.rows.tokens == prepared.reading["rows"] > rows["title"].max()
    assert (prepared.reading_folder / "tokenizers" / "words" / "tokenizer.json").is_file()
    assert set(prepared.best) >= {"all", "known", "new"}
    assert np.diff(prepared.logs["train"].starts).max() == 20
    record = prepared.item_records([2, 1])[0]
    assert record["item_id"] == prepared.items.ids[2]
    assert set(record) == {"item_id", "title", "abstract", "category", "subcategory"}


def test_a_model_of_sequences_and_one_of_ids(demo_cache):
    sequence = prepare(make_spec("Attention"), cache=demo_cache)
    assert list(sequence.inputs.rows(np.array([1], dtype=np.int32))) == ["tokens", "tokens_mask"]
    ids = prepare(make_spec("Null"), cache=demo_cache)
    assert isinstance(ids.inputs, IdTable)
    assert (ids.reading, ids.reading_folder, ids.rows.tokens) == (None, None, 0)
    assert ids.digest == sequence.digest


def test_the_digest_follows_the_data_and_not_the_model(demo_cache):
    one = prepare(make_spec(), cache=demo_cache)
    assert prepare(make_spec(history=5), cache=demo_cache).digest == one.digest
    other = prepare(make_spec(split=Call(op="leave_one_out")), cache=demo_cache)
    assert other.digest != one.digest


def test_a_second_start_makes_nothing(tmp_path):
    class Said:
        def __init__(self):
            self.lines = []

        def say(self, text):
            self.lines.append(text)

        def task(self, name, total, unit=""):
            from legoc.progress import SILENT

            return SILENT.task(name, total, unit)

    first, second = Said(), Said()
    for said in (first, second):
        prepared = prepare(make_spec(), cache=tmp_path, progress=said)
        for name in prepared.logs:
            prepared.logs[name]
    assert len(first.lines) >= 5
    assert second.lines == []


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[2])
from test_prepare import fingerprint
print(fingerprint(sys.argv[1]))
"""


def fingerprint(cache):
    """A hash of all arrays a model reads and of a few batches."""
    from legoc.data.batching.sampling import matching_batches

    now = Call(op="popularity", args={"hours": 24.0, "days": None})
    prepared = prepare(make_spec(context=(now, Call(op="age"))), cache=cache)
    total = hashlib.sha256(repr((prepared.digest, prepared.reading, prepared.items.ids)).encode())
    for name in prepared.logs:
        log = prepared.logs[name]
        for field in dataclasses.fields(log):
            if field.name != "context":
                total.update(np.ascontiguousarray(getattr(log, field.name)).tobytes())
        total.update(log.numbers(slice(0, log.rows)).tobytes())
    for ids, lengths in prepared.inputs.matrices.values():
        total.update(ids.tobytes() + lengths.tobytes())
    for pool in ("impression", "category"):
        batch = matching_batches(prepared, batch=16, seed=4, pool=pool).batch(2, 3)
        total.update(batch.items.tobytes() + batch.candidates.tobytes() + batch.clicks.tobytes())
        total.update(batch.context.tobytes())
    return total.hexdigest()


def test_every_process_prepares_the_same(tmp_path):
    found = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / seed), str(Path(__file__).parent)],
            capture_output=True, text=True, env={"PYTHONHASHSEED": seed}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.strip())
    assert found == {fingerprint(tmp_path / "here")}


def test_users_without_an_attribute_are_refused(demo_cache):
    with pytest.raises(LegoError) as error:
        prepare(make_spec(user=(CATEGORY,)), cache=demo_cache)
    assert error.value.diagnostics[0].code == "E0628"
    assert "`category`" in error.value.diagnostics[0].message
    assert "`age`, `region`" in error.value.diagnostics[0].help[0]


def test_a_missing_folder_is_an_error_with_help(tmp_path):
    source = Call(op="MIND", args={"path": str(tmp_path / "nothing")})
    with pytest.raises(LegoError) as error:
        prepare(make_spec(source=source), cache=tmp_path)
    assert error.value.diagnostics[0].code == "E0620"


def test_data_imports_no_torch():
    program = (
        "import sys, pkgutil, importlib, legoc.data\n"
        "for m in pkgutil.walk_packages(legoc.data.__path__, 'legoc.data.'):\n"
        "    importlib.import_module(m.name)\n"
        "heavy = {'torch', 'pandas', 'pyarrow', 'duckdb', 'tokenizers'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
