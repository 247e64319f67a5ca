"""What a careful person wants to see of prepared data: distributions, lengths, what looks wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.prepare import Prepared
from legoc.data.reading.inputs import JointInputs
from legoc.data.survey.candidates import compare_candidates
from legoc.data.survey.moments import Moment, measure_context, warn_of_places, warn_of_spans
from legoc.data.survey.suspicions import suspect
from legoc.data.survey.words import Known, measure_words, warn_of_words
from legoc.language.ir.spec import Spec


if TYPE_CHECKING:
    import duckdb


# Items whose texts are read at full length to see what the limits cut off.
SAMPLE = 10_000
# The share of texts that a proposed limit leaves whole.
WIDE = 0.95
# The share of texts cut off from which on a limit is worth a warning.
CUT = 0.5
# The same for items that lose some of their values: each of these stands for itself.
LOST = 0.05


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts by range of a number: [0], [1], [2, 3], [4, 7] and so on, each twice as wide."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    median: float
    mean: float
    largest: int


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Tokens of one attribute, of the items that have any. cut: the share of those that are longer
    than the limit of the spec. wide: the limit that would leave 95 % of them whole."""

    name: str
    kind: str
    limit: int
    median: float
    wide: int
    most: int
    cut: float


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """histories: clicks before each impression, by split, as published. longer: the share of
    impressions whose history is longer than what the spec reads. popularity: clicks of each item
    in train; top: the share of them that the most clicked 1 % and 10 % of the items have.
    words: how much of the texts of its items the tokenizer knows, by split. vectors: the shares of
    the vocabulary and of the written words that have a word vector. context: the numbers of the
    moment, by split; counters: the bytes that are kept to know them.
    """

    histories: Mapping[str, Histogram]
    longer: Mapping[str, float]
    popularity: Histogram
    top: Mapping[str, float]
    lengths: tuple[Lengths, ...]
    words: Mapping[str, Known]
    vectors: tuple[float, float] | None
    context: Mapping[str, tuple[Moment, ...]]
    counters: int
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def draw_portrait(spec: Spec, prepared: Prepared) -> Portrait:
    """Count what the tables hold, seen with the limits of a spec."""
    tables = prepared.tables
    histories: dict[str, Histogram] = {}
    longer: dict[str, float] = {}
    with tables.connect() as connection:
        for split in prepared.report.parts:
            lengths = history_lengths(connection, split)
            histories[split] = count(lengths)
            longer[split] = float((lengths > spec.data.history).mean()) if len(lengths) else 0.0
        clicks = item_clicks(connection)
        suspicions = suspect(connection, prepared.report, moment=prepared.context is not None)
    spoken = None
    if prepared.vectors is not None and prepared.reading is not None:
        read: Any = prepared.inputs
        tokens = read.tokens if isinstance(read, JointInputs) else read
        spoken = (
            prepared.vectors.coverage,
            prepared.vectors.spoken(tokens.matrices, prepared.reading),
        )
    measured, known = measure_lengths(prepared), measure_words(prepared)
    return Portrait(
        histories=histories, longer=longer, popularity=count(clicks),
        top={"1%": share_of_top(clicks, 0.01), "10%": share_of_top(clicks, 0.1)},
        lengths=measured, words=known, vectors=spoken, context=measure_context(prepared),
        counters=0 if prepared.context is None else prepared.context.bytes,
        warnings=(*suspicions, *warn(spec, prepared, measured, known)),
    )  # fmt: skip


def find_warnings(spec: Spec, prepared: Prepared) -> tuple[str, ...]:
    """The warnings of a portrait, for those who want no more of it."""
    with prepared.tables.connect() as connection:
        suspicions = suspect(connection, prepared.report, moment=prepared.context is not None)
    lengths, words = measure_lengths(prepared), measure_words(prepared)
    return (*suspicions, *warn(spec, prepared, lengths, words))


def warn(
    spec: Spec, prepared: Prepared, lengths: Sequence[Lengths], words: Mapping[str, Known]
) -> Iterator[str]:
    """What a reader should know of the rows, the words and the moments that a spec reads."""
    yield from compare_candidates(spec, prepared)
    yield from warn_of_words(words, prepared)
    yield from cut_texts(lengths)
    yield from warn_of_spans(prepared.context)
    yield from warn_of_places(spec, prepared)


def cut_texts(lengths: Sequence[Lengths]) -> list[str]:
    """Texts of which most are longer than what the spec reads, and categories that lose values."""
    found: list[str] = []
    for each in lengths:
        what = "tokens" if each.kind == "text" else "values"
        if each.kind != "number" and each.cut > (CUT if each.kind == "text" else LOST):
            found.append(
                f"`{each.name}` has more than {each.limit} {what} in {each.cut:.1%} of the items "
                f"that have it: `{each.name}({each.wide})` would leave {WIDE:.0%} of them whole"
            )
    return found


def facets(spec: Spec, prepared: Prepared) -> frozenset[str]:
    """What a portrait tells, by digests: one that tells nothing new need not be drawn."""
    task = spec.train.task if spec.train is not None else None
    told = {f"{prepared.tables.digest}/{spec.data.history}/{task}"}
    if prepared.reading_folder is not None:
        # The folder is named by its tokens' content and limits.
        told.add(f"{prepared.tables.digest}/{prepared.reading_folder}")
    if prepared.context is not None:
        told.add(f"{prepared.tables.digest}/{', '.join(prepared.context.names)}")
    return frozenset(told)


def history_lengths(connection: "duckdb.DuckDBPyConnection", split: str) -> NDArray[np.int64]:
    """The clicks before each impression of a split."""
    found = connection.execute(
        """
        SELECT len(clicks) AS n FROM (
            SELECT impression_id, any_value(history_id) AS history_id FROM interactions
            WHERE split = $1 GROUP BY impression_id
        ) JOIN histories USING (history_id)
        """,
        [split],
    ).fetchnumpy()["n"]
    return np.asarray(found, dtype=np.int64)


def item_clicks(connection: "duckdb.DuckDBPyConnection") -> NDArray[np.int64]:
    """How often each item is clicked in the training rows."""
    found = connection.execute(
        """
        SELECT coalesce(clicked.n, 0) AS n FROM items LEFT JOIN (
            SELECT item_id, count(*) AS n FROM interactions
            WHERE split = 'train' AND label > 0 GROUP BY item_id
        ) AS clicked USING (item_id)
        """
    ).fetchnumpy()["n"]
    return np.asarray(found, dtype=np.int64)


def count(values: NDArray[np.int64]) -> Histogram:
    """The histogram of whole numbers from 0."""
    largest = int(values.max(initial=0))
    # 0 is a range of its own; then 1, 2 to 3, 4 to 7: as many as the largest has binary digits.
    places = largest.bit_length() + 1
    exact = np.frexp(values.astype(np.float64))[1]
    counts = np.bincount(np.where(values > 0, exact, 0), minlength=places)
    labels = ["0", *(label(2**k, 2 ** (k + 1) - 1) for k in range(places - 1))]
    return Histogram(
        labels=tuple(labels), counts=tuple(int(n) for n in counts),
        median=float(np.median(values)) if len(values) else 0.0,
        mean=float(values.mean()) if len(values) else 0.0, largest=largest,
    )  # fmt: skip


def label(first: int, last: int) -> str:
    return f"{first:,}" if first == last else f"{first:,}–{last:,}"


def share_of_top(clicks: NDArray[np.int64], share: float) -> float:
    """The share of all clicks that the most clicked items have; at least one item is among them."""
    total = int(clicks.sum())
    most = np.sort(clicks)[::-1][: max(round(share * len(clicks)), 1)]
    return float(most.sum() / total) if total else 0.0


def measure_lengths(prepared: Prepared) -> tuple[Lengths, ...]:
    """The lengths of the attributes without their limits, on evenly chosen items."""
    reading = prepared.reading
    if reading is None or prepared.reading_folder is None or len(prepared.items) < 2:
        return ()
    from legoc_runtime.tokens import Reader

    parts: list[dict[str, Any]] = [
        part
        for part in reading["parts"]
        # Prompts are no attributes; a number is one bin, unless a language model reads it as text.
        if "name" in part and (part["kind"] != "number" or "tokenizer" in part)
    ]
    if not parts:
        return ()
    whole = {**reading, "layout": "fields", "parts": [{**p, "length": 1 << 30} for p in parts]}
    reader = Reader.load(prepared.reading_folder, whole)
    last = len(prepared.items) - 1
    chosen = np.unique(np.linspace(1, last, min(last, SAMPLE)).astype(np.int64))
    names: Sequence[str] = [part["name"] for part in parts]
    found = reader.read(prepared.item_records([int(item) for item in chosen]))
    lengths: list[Lengths] = []
    for name, part in zip(names, parts, strict=True):
        real = found[name][1]
        real = real[real > 0]
        limit = int(part["length"])
        lengths.append(
            Lengths(
                name=name, kind=part["kind"], limit=limit,
                median=float(np.median(real)) if len(real) else 0.0,
                wide=int(np.quantile(real, WIDE, method="higher")) if len(real) else 0,
                most=int(real.max(initial=0)),
                cut=float((real > limit).mean()) if len(real) else 0.0,
            )
        )  # fmt: skip
    return tuple(lengths)
