"""The graphs of a model in every precision they can be stored in, and what a call of each takes."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from legoc.exporting.engine import onnx_run
from legoc.exporting.graph_files import GraphFile, write_converted
from legoc.language.diagnosing.diagnostics import LegoError


FULL = "fp32"
SMALLER = ("fp16", "int8")
# What speaks against one precision of one graph, and not against the model.
UNSUITABLE = ("E0824", "E0828")
ROUNDS = 15


@dataclass(frozen=True, kw_only=True)
class Variants:
    """files: of each graph by precision, float32 always among them; a graph without weights has no
    other. refused: why a precision cannot hold a graph, by both."""

    files: Mapping[str, Mapping[str, GraphFile]]
    refused: Mapping[tuple[str, str], str]

    @property
    def alone(self) -> bool:
        """Whether there is nothing to choose from."""
        return all(len(found) == 1 for found in self.files.values())

    def pick(self, precisions: Mapping[str, str]) -> dict[str, GraphFile]:
        return {name: self.files[name][chosen] for name, chosen in precisions.items()}


def write_variants(files: Mapping[str, GraphFile], place: Path) -> Variants:
    """The float32 graphs of a bundle in fp16 and int8 as well, in folders below `place`."""
    found: dict[str, dict[str, GraphFile]] = {name: {FULL: made} for name, made in files.items()}
    refused: dict[tuple[str, str], str] = {}
    for precision in SMALLER:
        (place / precision).mkdir(parents=True)
        for name, made in files.items():
            for part in made.parts:
                shutil.copyfile(part, place / precision / part.name)
            path = place / precision / made.path.name
            try:
                variant = write_converted(replace(made, path=path), precision)
            except LegoError as error:
                if error.diagnostics[0].code not in UNSUITABLE:
                    raise
                refused[name, precision] = error.diagnostics[0].message
                continue
            if variant.changed:
                found[name][precision] = variant
    return Variants(files=found, refused=refused)


def adopt(chosen: Mapping[str, GraphFile], files: Mapping[str, GraphFile]) -> dict[str, GraphFile]:
    """The chosen variants in the place of the float32 graphs."""
    adopted: dict[str, GraphFile] = {}
    for name, made in chosen.items():
        plain = files[name]
        if made.path == plain.path:
            adopted[name] = plain
            continue
        for part in plain.parts:
            part.unlink()
        for part in made.parts:
            shutil.move(part, plain.path.parent / part.name)
        adopted[name] = replace(made, path=plain.path, run=onnx_run(plain.path, made.graph))
    return adopted


def time_calls(
    calls: Mapping[tuple[str, str], Callable[[], object]],
) -> dict[tuple[str, str], float]:
    """The median milliseconds of some calls. They take turns, so that what else the machine does
    meets all of them alike."""
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for key, call in calls.items():
            begun = time.perf_counter()
            call()
            taken[key].append(1e3 * (time.perf_counter() - begun))
    return {key: median(each) for key, each in taken.items()}
