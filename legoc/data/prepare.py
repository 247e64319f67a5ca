"""Everything a model reads, from a spec: tables, names, logs and the inputs of the item encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.augmenting.joins import augment, verify_generated
from legoc.data.cache import cache_root
from legoc.data.cache import digest as join_digests
from legoc.data.formats.truncation import REASON, broken_off
from legoc.data.indexing.context import Context, build_context
from legoc.data.indexing.index import (
    build_logs,
    mark_training,
    name_items,
    name_users,
    number_categories,
)
from legoc.data.indexing.log import Log
from legoc.data.indexing.names import Names
from legoc.data.indexing.rows import Rows
from legoc.data.indexing.tables import Tables, convert
from legoc.data.reading.inputs import IdTable, ItemInputs, JointInputs, TokenTable
from legoc.data.reading.language_model import LanguageModel, open_model, verify_supported
from legoc.data.reading.model_tokens import tokenize_for_model
from legoc.data.reading.profiles import Profiles, read_profiles
from legoc.data.reading.tokens import tokenize
from legoc.data.reading.vectors import Vectors, WordVectors, open_vectors, read_vectors
from legoc.data.staging.report import Drop, Report
from legoc.data.staging.source import Source
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import Layout, plan, token_ports
from legoc.language.ir.spec import Data, Spec
from legoc.language.typing.searching import verify_settled
from legoc.progress import SILENT, Progress


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The data of one spec, ready for training, evaluation and export.

    digest: the data digest, which joins the spec digest in a run's identity; of the tables and,
        where there are such, of the files of a language model and of word vectors.
    logs: keys are those of `train`, `valid`, `test`, `predict` that exist; made when asked for.
    reading, reading_folder: how items become ids, and the folder its files lie in; None for models
        of ids.
    training_items: Bool[N], items that some training impression or training history shows.
    vectors: pre-trained vectors of words, where the spec names some.
    profiles: the attributes of users, where the spec names some.
    best: the best scores any model could reach, where the source knows them (Demo).
    context: what is known of the items at any moment, where the spec asks for it.
    generated: how many of the items, the last ones, were made up for histories; nothing offers
        them.
    """

    tables: Tables
    digest: str
    inputs: ItemInputs
    logs: Mapping[str, Log]
    items: Names
    users: Names
    rows: Rows
    reading: dict[str, Any] | None
    reading_folder: Path | None
    report: Report
    training_items: NDArray[np.bool_]
    vectors: WordVectors | None = None
    profiles: Profiles | None = None
    best: Mapping[str, Any] | None = None
    context: Context | None = None
    generated: int = 0

    def item_records(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """The attributes of some items as the publisher wrote them, with `item_id`."""
        return self.tables.item_records(indices)

    def categories(self) -> NDArray[np.int32]:
        """I32[N]: a number per value of the items' `category`, for the negative pool of that
        name."""
        return number_categories(self.tables)


def prepare(
    spec: Spec,
    *,
    cache: str | Path | None = None,
    strict: bool = False,
    truncated: bool = False,
    progress: Progress = SILENT,
) -> Prepared:
    """Convert, tokenise and index the data of a spec; what is in the cache is used as it is.

    cache: the cache folder, else `LEGOC_CACHE`, else the user's own. Raises E062x for raw files
    that are missing, broken or of another layout; with `strict`, also for any row that is not as it
    should be (E0629). Without, such rows are counted and said. truncated: gzip files that break off
    are read as far as they are whole (E0622 otherwise). Raises E065x for a language model that is
    not there, not whole or does not fit its tokenizer, before anything else is read, E0641 for word
    vectors that are not, and E0631 for a `context` without times.
    """
    verify_settled((spec,))
    verify_supported(spec)
    verify_generated(spec.data.augment)
    root = cache_root(cache)
    model = open_model(spec, root, progress)
    given = None if spec.data.vectors is None else open_vectors(spec.data.vectors, progress)
    source = build_source(spec.data, root)
    tables = make_tables(spec.data, source, root, progress, truncated=truncated)
    announce(tables.report.drops, strict, progress)
    items, users = name_items(tables), name_users(tables)
    inputs, reading, folder = read_items(spec, tables, len(items), root, progress, model, given)
    vectors, tokens, unknown, separator = None, 0, 1, 2
    if reading is not None and folder is not None:
        tokens, unknown = reading["rows"], reading["unknown"]
        separator = reading["separator"]
        if given is not None:
            vectors = read_vectors(given, reading, folder, root, progress)
    elif given is not None:
        raise fail(
            "E0641",
            "`vectors` are of words, and this model reads the ids of items",
            "leave `vectors` out, or write a content that reads text, such as `content CNN`",
        )
    known = spec.data.user
    profiles = read_profiles(tables, known, users, root) if known else None
    context = build_context(tables, spec.data.context, len(items), root, progress)
    logs = build_logs(
        tables, history=spec.data.history, group=spec.data.group, root=root, progress=progress,
        context=context,
    )  # fmt: skip
    return Prepared(
        tables=tables,
        digest=join([tables.digest, model and model.digest, vectors and vectors.digest]),
        inputs=inputs, logs=logs, items=items, users=users,
        rows=Rows(
            items=len(items), users=len(users), tokens=tokens,
            vectors=0 if vectors is None else vectors.width,
            profile=0 if profiles is None else profiles.rows,
            longest=0 if model is None else model.reading.longest,
            checkpoint="" if model is None else model.digest,
            unknown=unknown, separator=separator,
            **text_sizes(reading, whole=spec.types.user == "Seq[Tokens]"),
        ),
        reading=reading, vectors=vectors, profiles=profiles, reading_folder=folder,
        report=tables.report,
        training_items=mark_training(tables, len(items)), best=getattr(source, "best", None),
        context=context, generated=tables.report.generated,
    )  # fmt: skip


def text_sizes(reading: Mapping[str, Any] | None, *, whole: bool) -> dict[str, int]:
    """The most tokens of the texts that a reading with a prompt makes. whole: each pair is one."""
    if reading is None or "prompt" not in reading:
        return {}
    from legoc_runtime.prompting import Prompt

    prompt = Prompt.of(reading["prompt"])
    longest = prompt.longest if prompt.joined else max(prompt.longest, prompt.tail)
    if whole:
        longest = max(prompt.most, prompt.limit if "whole" in reading["prompt"] else 0)
    return {"text": longest, "ending": prompt.tail}


def make_tables(
    data: Data, source: Source, root: Path, progress: Progress = SILENT, *, truncated: bool = False
) -> Tables:
    """The tables of a data record with what `augment` joins to them."""
    tables = convert(source, data.split, root, progress, history=data.history, truncated=truncated)
    check_whole(tables.report.drops, truncated)
    return augment(tables, data.augment, root, progress)


def join(digests: Sequence[str | None]) -> str:
    """One digest of several; the first alone where there is no other."""
    known = [each for each in digests if each is not None]
    return known[0] if len(known) == 1 else join_digests(known)


def read_items(
    spec: Spec,
    tables: Tables,
    items: int,
    root: Path,
    progress: Progress,
    model: LanguageModel | None,
    vectors: Vectors | None = None,
) -> tuple[ItemInputs, dict[str, Any] | None, Path | None]:
    """What the stages read of N items, how items become ids, and the folder of its files. Where a
    flatten stage follows another reading of the items, the reading is that of the content stage."""
    if model is not None:
        return tokenize_for_model(
            tables, spec.data.attributes, model.reading, root=root, progress=progress,
            ports=token_ports(spec, "sequence", "item"),
        )  # fmt: skip
    made = plan(spec)

    def read(layout: Layout) -> tuple[TokenTable, dict[str, Any], Path]:
        return tokenize(
            tables, spec.data.attributes, layout=layout, ports=token_ports(spec, layout, "item"),
            tokenizer=spec.data.tokenizer, root=root, vectors=vectors, progress=progress,
        )  # fmt: skip

    if made.layout == "sequence" or (made.layout != "id" and not made.flattens):
        return read(made.layout)
    if not made.flattens:
        return IdTable.of(items), None, None
    sequence, reading, folder = read("sequence")
    if made.layout == "id":
        return JointInputs(content=IdTable.of(items), tokens=sequence), reading, folder
    fields, reading, folder = read(made.layout)
    return JointInputs(content=fields, tokens=sequence), reading, folder


def check_whole(drops: Sequence[Drop], truncated: bool) -> None:
    """Refuse tables that were made of files that break off, where that was not asked for again."""
    found = next((drop for drop in drops if drop.reason == REASON), None)
    if found is not None and not truncated:
        name, _, line = found.examples[0].rpartition(":")
        raise broken_off(f"`{name}` is a gzip file that breaks off after line {line}")


def announce(drops: Sequence[Drop], strict: bool, progress: Progress) -> None:
    """Say each kind of bad row with its count and first place; E0629 where none is accepted."""
    said = [
        f"{drop.reason} ({drop.part}): {drop.count:,}, {drop.policy}; first {drop.examples[0]}"
        for drop in drops
        if drop.examples
    ]
    if strict and said:
        first, *others = said
        raise fail(
            "E0629",
            first,
            "mend the raw files, or go on without `--strict`: such rows are then counted",
            notes=others,
        )
    for line in said:
        progress.say(line)


def build_source(data: Data, root: Path) -> Source:
    """The source that a data record names, imported only now."""
    call = data.source
    declaration = catalog().get("source", call.op)
    if declaration is None:
        raise KeyError(f"no source {call.op!r}")
    module, _, name = declaration.module.partition(":")
    source = getattr(import_module(module), name)
    config = source.Config(**call.args)
    return source(config, cache=root) if call.op == "Demo" else source(config)
