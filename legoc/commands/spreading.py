"""Records answered, and items encoded, part by part: by this process or by Ray's workers."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from legoc.commands.answers import begun
from legoc.commands.bundles import bundle_of
from legoc.commands.console import choose
from legoc.commands.part_worker import Order, begin
from legoc.commands.parts import Cursor, Part, Spool, cut, to_bytes, verify_alone, verify_parquet
from legoc.commands.ray_parts import count_workers, do_parts
from legoc.commands.replies import Asked, Tally
from legoc.language.diagnosing.diagnostics import fail


Done = Iterator[tuple[Part, dict[str, Any], bytes]]


def spread_answers(arguments: Namespace, asked: Asked) -> Tally:
    """Answer every record of a Parquet file by Ray's workers, into another one that is there
    complete or not at all. Errors are those of one process, of the first record that is not right;
    E0880, E0881 and E0884 of the workers."""
    verify_parquet("the input", arguments.input)
    verify_parquet("`-o`", arguments.output)
    return write_parts(
        arguments.output, arguments.input, asked, bundle_of(arguments.folder), arguments
    )


def encode_catalogue(arguments: Namespace) -> int:
    """Encode the items of a Parquet file into vectors in another one; how many there are. E0882
    for flags that say something else, E0883 for an item that cannot be encoded or is given
    twice."""
    for flag, path in (("--items", arguments.items), ("-o", arguments.output)):
        if Path(path).suffix.lower() != ".parquet":
            raise fail(
                "E0882", f"`{flag}` is `{path}`, and raw items are read and written as Parquet",
                "name a `.parquet` file",
            )  # fmt: skip
    if not Path(arguments.items).is_file():
        raise fail("E0863", f"there is no file `{arguments.items}`", "check the path")
    folder = bundle_of(arguments.file)
    if not (folder / "manifest.json").is_file():
        raise fail(
            "E0882",
            f"`{arguments.file}` is no bundle, and `--items` are encoded by one",
            "name a bundle, or a run that was exported",
        )
    return write_parts(arguments.output, arguments.items, None, folder, arguments).asked


def write_parts(
    output: str, source: str, asked: Asked | None, folder: Path, arguments: Namespace
) -> Tally:
    progress = choose(arguments.quiet)
    on_ray = arguments.engine == "ray"
    if not on_ray:
        verify_alone(arguments)
    rows = Cursor(source, None).rows
    order = Order(
        bundle=str(folder.resolve()), source=source, rows=rows, asked=asked,
        keep_going=getattr(arguments, "keep_going", False),
    )  # fmt: skip
    parts = cut(rows, count_workers(arguments.jobs) if on_ray else 1)
    total = Tally()
    with begun(output) as place, Spool(place.parent) as spool:
        # What is wrong with the bundle or the columns is said before any worker starts.
        work = begin(order)
        done: Done = (
            do_parts(order, parts, arguments.jobs, arguments.address, progress)
            if on_ray and parts
            else do_here(work, parts)
        )
        what = "items" if asked is None else "records"
        with progress.task("encoded" if asked is None else "answered", rows, what) as task:
            for part, said, table in done:
                verify_part(part, said)
                total.add(Tally(**said["tally"]))
                spool.add(table)
                task.advance(said["rows"])
        if asked is None:
            total.asked = rows
            verify_once(spool, source)
        spool.write(place)
    return total


def do_here(work: Any, parts: Sequence[Part]) -> Done:
    """The parts, one after the other, in this process."""
    for part in parts or [Part(number=0, start=0, stop=0)]:
        table, tally = work.do(part.start, part.stop)
        yield part, {"tally": vars(tally), "rows": len(table)}, to_bytes(table)


def verify_part(part: Part, said: dict[str, Any]) -> None:
    """Raise what went wrong with a part, as one process would."""
    from legoc.training.jobs.messages import read_error

    if "failed" in said:
        raise read_error(said["failed"])
    assert said["rows"] == part.stop - part.start, "a part has other rows than it was given"


def verify_once(spool: Spool, source: str) -> None:
    """E0883 for an id that two rows have."""
    seen: set[str] = set()
    number = 0
    for table in spool.tables():
        for name in table.column(0).to_pylist():
            number += 1
            if name in seen:
                raise fail(
                    "E0883", f"{source}, row {number}: `{name}` is given twice",
                    "give each item once",
                )  # fmt: skip
            seen.add(name)
