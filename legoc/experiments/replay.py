"""A row of a table made again: trained anew from what its run or bundle carries, and compared."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from legoc.evaluation.opened import locate, open_bundle_of, read_spec
from legoc.evaluation.public import choose_split, evaluate
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.progress import SILENT, Progress
from legoc.training import train
from legoc.training.folder import infer_folder, infer_id
from legoc.training.machine import choose_device
from legoc.training.sittings import ENVIRONMENT, differences, read_environment


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

# A row is the same one where all its figures agree to so many digits behind the point.
DIGITS = 4
# Doubles do not tell more.
MOST = 15


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A figure as it was and as it is now; None where a metric has no value."""

    before: float | None
    now: float | None

    @property
    def digits(self) -> int:
        """Digits behind the point to which both agree: they differ by no more than the last."""
        if self.before is None or self.now is None:
            return MOST if self.before is self.now else 0
        gap = abs(self.before - self.now)
        return MOST if gap == 0 else max(min(math.floor(-math.log10(gap)), MOST), 0)

    def __str__(self) -> str:
        told = [
            "no value" if value is None else f"{value:.{DIGITS}f}"
            for value in (self.before, self.now)
        ]
        if self.before == self.now:
            return f"{told[0]} and {told[1]}: equal in every digit"
        return f"{told[0]} and {told[1]}: equal to {self.digits} digits"


@dataclass(frozen=True, kw_only=True)
class Replay:
    """name: of the point; data: the digest of the data; split: the part that was measured.
    figures: by metric. source: whether the earlier figures are those of `metrics.json`, or of the
    bundle, measured now. folder: of the new run, None where it was not to be kept. reasons: what
    may have made a difference, as far as it is recorded."""

    name: str
    data: str
    split: str
    source: str
    figures: Mapping[str, Pair]
    folder: Path | None
    reasons: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return all(pair.digits >= DIGITS for pair in self.figures.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "data": self.data,
            "split": self.split,
            "source": self.source,
            "folder": None if self.folder is None else str(self.folder),
            "metrics": {
                name: {"before": pair.before, "now": pair.now, "digits": pair.digits}
                for name, pair in self.figures.items()
            },
            "agrees": self.agrees,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class Original:
    """What is to be made again. run: None for a bundle on its own; manifest: None for a run that
    was not exported."""

    folder: Path
    spec: Spec
    run: Run | None
    manifest: Mapping[str, Any] | None

    @property
    def environment(self) -> Mapping[str, Any]:
        """The machine of the training, or as much of it as a bundle knows."""
        found = None if self.run is None else read_environment(self.run.folder / ENVIRONMENT)
        if found is not None:
            return found
        return {} if self.manifest is None else self.manifest["provenance"]


def replay(
    run_or_bundle: str | Path,
    *,
    runs: str | Path | None = None,
    data: str | Path | None = None,
    cache: str | Path | None = None,
    progress: Progress = SILENT,
) -> Replay:
    """Train and measure again what a run or a bundle is of, with its threads and on its device.

    runs: where the new run folder is kept; else it is removed in the end. data: the folder in which
    the files and folders the spec names are found. Raises LegoError for other data than those of
    the training (E0581), before anything trains, and for a `runs` that holds the run itself
    (E0582).
    """
    original = open_original(Path(run_or_bundle), data)
    from legoc.data import prepare

    prepared = prepare(original.spec, cache=cache, truncated=True, progress=progress)
    verify_data(original, prepared.digest)
    split, source, before = earlier_figures(original, prepared, data, cache, progress)
    with nullcontext(runs) if runs is not None else TemporaryDirectory(prefix="legoc-") as place:
        run = remake(original, prepared.digest, Path(place), cache, progress)
        now = (run.metrics or {})[split]["metrics"]
        reasons = tuple(find_reasons(original, run))
    return Replay(
        name=original.spec.name,
        data=prepared.digest,
        split=split,
        source=source,
        figures={name: Pair(before=before[name], now=now.get(name)) for name in before},
        folder=run.folder if runs is not None else None,
        reasons=reasons,
    )


def open_original(given: Path, data: str | Path | None) -> Original:
    """The run or bundle of a folder; a bundle inside its run is that run."""
    folder = locate(given)
    if (folder / "manifest.json").is_file():
        bundle = open_bundle_of(folder, "onnxruntime")
        assert bundle is not None
        around = folder.resolve().parent
        run = Run(around) if (around / "spec.json").is_file() else None
        spec = read_spec(folder, bundle, data)
        return Original(folder=folder, spec=spec, run=run, manifest=bundle.manifest)
    run = Run(folder)
    known = (run.bundle / "manifest.json").is_file()
    return Original(
        folder=folder,
        spec=read_spec(folder, None, data),
        run=run,
        manifest=run.record("bundle/manifest.json") if known else None,
    )


def verify_data(original: Original, digest: str) -> None:
    """E0581 where other data lie there than those of the training."""
    if original.manifest is not None:
        trained = original.manifest["provenance"]["data"]
        same = trained == digest
    else:
        assert original.run is not None
        trained, same = "unknown", original.run.id == infer_id(original.spec, digest)
    if not same:
        raise fail(
            "E0581",
            f"the data of `{original.folder}` is not what lies there now",
            "name the folder that holds the data of the training with `--data FOLDER`",
            notes=[f"trained on {trained}", f"found      {digest}"],
        )


def earlier_figures(
    original: Original,
    prepared: "Prepared",
    data: str | Path | None,
    cache: str | Path | None,
    progress: Progress,
) -> tuple[str, str, Mapping[str, float | None]]:
    """The part of the data, where its figures come from, and the figures: those of metrics.json, or
    what the bundle gives."""
    split = choose_split(prepared.logs, None)
    known = original.run and original.run.metrics
    if known and split in known:
        return split, "metrics.json", known[split]["metrics"]
    report = evaluate(original.folder, split=split, cache=cache, data=data, progress=progress)
    return split, "bundle", report.to_json()["metrics"]


def remake(
    original: Original, data: str, runs: Path, cache: str | Path | None, progress: Progress
) -> Run:
    """Train anew below `runs`; only what another replay has left unfinished there is gone on with.
    data: the digest of the data."""
    target = infer_folder(runs, original.spec, data)
    if original.run is not None and target.resolve() == original.run.folder.resolve():
        raise fail(
            "E0582",
            f"`{runs}` holds the run itself, which a replay leaves as it is",
            "name another folder with `--runs`, or none: then nothing is kept",
        )
    settings = original.environment
    name = settings.get("device")
    finished = any(Run(folder).finished for folder in runs.glob(f"*-{Run(target).id}"))
    return train(
        original.spec, runs=runs, cache=cache, again=finished, truncated=True,
        threads=settings.get("threads"), device=name if name and is_there(name) else None,
        baselines=False, progress=progress,
    )  # fmt: skip


def is_there(device: str) -> bool:
    """Whether this machine has the device a training was on."""
    try:
        choose_device(device)
    except LegoError:
        return False
    return True


def find_reasons(original: Original, run: Run) -> list[str]:
    """What a difference may come from, as far as both trainings have recorded it."""
    before, now = original.environment, run.environment
    # A bundle on its own knows versions, and nothing of the machine.
    known = {name: value for name, value in now.items() if name in before or name == "versions"}
    versions = before.get("versions", {})
    known["versions"] = {n: v for n, v in now["versions"].items() if n in versions}
    found = list(differences(before, known))
    if before.get("resumed"):
        found.append("the training was interrupted and went on, perhaps on another machine")
    if original.spec.train is not None and original.spec.train.limit is not None:
        found.append("its `limit` in seconds ends a training at another update each time")
    return found
