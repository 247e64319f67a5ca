"""A run folder as a value: what a training left behind, for export, evaluation and comparison."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from legoc.data.indexing.rows import Rows
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir import form
from legoc.language.ir.places import list_places
from legoc.language.ir.spec import Spec
from legoc.model.recommender import Recommender
from legoc.model.versions import find_revised, is_of_another_version
from legoc.model.weights import load_own, own_tensors


# No entry that ends a log has so many bytes.
LONGEST = 4096
CALIBRATION = "calibration.json"


@dataclass(frozen=True)
class Run:
    """The folder `runs/<name>-<id>/` of one spec on one state of its data.

    Nothing is read before it is asked for. A folder that is none is an error of the user (E0560).
    """

    folder: Path

    @cached_property
    def spec(self) -> Spec:
        return read_spec(self.record("spec.json"), self.folder / "spec.json")

    @property
    def id(self) -> str:
        """The first 12 hex digits of the hash of spec digest and data digest."""
        return self.folder.name.rpartition("-")[2]

    @property
    def weights(self) -> Path:
        """The best checkpoint."""
        return self.folder / "best.safetensors"

    @property
    def bundle(self) -> Path:
        """Where the exported bundle lies, if it has been written."""
        return self.folder / "bundle"

    @property
    def finished(self) -> bool:
        """Whether training came to its end: the best weights, and either nothing to resume from or
        an end in the log. What a search gave up has not come to its end."""
        if self.given_up:
            return False
        left = (self.folder / "resume" / "state.safetensors").is_file()
        return self.weights.is_file() and (not left or self.end is not None)

    @property
    def given_up(self) -> bool:
        """Whether a search broke the training off, so that there is only as much as it had then."""
        return self.end is not None and self.end["reason"] == "hopeless"

    @property
    def end(self) -> Mapping[str, Any] | None:
        """The last entry of the log, where it says how training ended; else None."""
        path = self.folder / "log.jsonl"
        try:
            with path.open("rb") as file:
                file.seek(max(path.stat().st_size - LONGEST, 0))
                entry = json.loads(file.read().rstrip(b"\n").rpartition(b"\n")[2])
        except (OSError, ValueError):
            return None
        if not isinstance(entry, dict) or entry.get("event") != "end":
            return None
        return entry if isinstance(entry.get("reason"), str) else None

    @property
    def environment(self) -> Mapping[str, Any]:
        """Versions and settings of the machine that trained."""
        return self.record("environment.json")

    @property
    def calibration(self) -> Mapping[str, Any] | None:
        """The two numbers of a calibrated model and what they bought, or None before that."""
        return self.record(CALIBRATION) if (self.folder / CALIBRATION).is_file() else None

    @property
    def metrics(self) -> Mapping[str, Any] | None:
        """What evaluation found, or None before that."""
        return self.record("metrics.json") if (self.folder / "metrics.json").is_file() else None

    @property
    def log(self) -> list[dict[str, Any]]:
        """The entries of log.jsonl in order: steps, evaluations, the end."""
        path = self.folder / "log.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [json.loads(line) for line in lines]

    def to_json(self) -> dict[str, Any]:
        """What the command line prints for machines."""
        return {
            "name": self.spec.name,
            "folder": str(self.folder),
            "finished": self.finished,
            "weights": str(self.weights) if self.weights.is_file() else None,
            "bundle": str(self.bundle) if self.bundle.is_dir() else None,
            "metrics": self.metrics,
        }

    def record(self, name: str) -> Any:
        """A JSON file of the folder."""
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise fail(
                "E0560",
                f"`{self.folder}` has no `{name}`, so it is not a run folder",
                "name a folder that `legoc train` wrote, such as one below `runs/`",
            ) from None
        except ValueError:
            raise fail(
                "E0560",
                f"`{path}` is not readable as JSON",
                "train the spec again with `--again`",
            ) from None


def read_spec(document: Any, place: Path, code: str = "E0560") -> Spec:
    """The spec in a file of a run or a bundle; a mistake of the user, of this code, where it cannot
    be read or another version wrote it."""
    try:
        return form.read_stored(document)
    except ValueError as error:
        raise fail(
            code,
            f"the spec in `{place}` cannot be read: {error}",
            "train it again, or use the version of legoc that wrote it",
        ) from None


def load_recommender(run: Run, rows: Rows, *, raw: bool = False) -> Recommender:
    """The trained model of a run, in evaluation mode on the CPU.

    rows: sizes of the tables of the data it is used on; other sizes than in training are an error
    of the user (E0561), and so is a run of another version whose operators have changed. raw:
    before it is calibrated, too (else E0560).
    """
    from legoc.model import compile

    verify_model(run, rows)
    verify_version(run)
    recipe = run.spec.train
    if not raw and recipe is not None and recipe.calibrate and run.calibration is None:
        raise fail(
            "E0560",
            f"the run `{run.folder}` is trained and not calibrated yet",
            "start `legoc train` on its spec again; it goes on",
        )
    recommender = compile(run.spec).build(rows)
    load_weights(recommender, run)
    return recommender.eval()


def verify_model(run: Run, rows: Rows) -> None:
    """Refuse another language model than that of the training (E0657): a run stores only what it
    trained."""
    trained = run.environment.get("language_model") if rows.checkpoint else None
    if trained is not None and trained != rows.checkpoint:
        raise fail(
            "E0657",
            f"the run `{run.folder}` was trained on other files of its language model",
            "put those files back, or train the spec again",
        )


def verify_version(run: Run) -> None:
    """Refuse a run of another version with an operator that has changed between versions (E0561):
    weights of the same shapes would give other scores."""
    revised = find_revised(run.spec) if is_of_another_version(run.spec) else []
    if revised:
        named = " and ".join(f"`{name}`" for name in revised)
        have = "have" if revised[1:] else "has"
        raise of_another_version(run, f", and {named} {have} changed between versions")


def of_another_version(run: Run, what: str) -> LegoError:
    files = "a file that the spec names and that has changed since training looks the same"
    return fail(
        "E0561",
        f"the run `{run.folder}` was trained by another version of legoc{what}",
        "train the spec again, or use the version that trained it",
        notes=(files,) if list_places(run.spec) else (),
    )


def load_weights(recommender: Recommender, run: Run) -> None:
    """Put the weights of a run into a model of the same shape."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = run.weights
    if not path.is_file():
        raise fail(
            "E0560",
            f"`{path}` is missing: this run has no trained weights yet",
            "start `legoc train` on its spec again; it resumes",
        )
    try:
        stored = load_file(path)
    except SafetensorError:
        raise fail("E0561", f"`{path}` is damaged", "train the spec again with `--again`") from None
    expected = own_tensors(recommender)
    for name in sorted(expected.keys() | stored.keys()):
        ours = tuple(expected[name].shape) if name in expected else None
        theirs = tuple(stored[name].shape) if name in stored else None
        if ours != theirs:
            if is_of_another_version(run.spec):
                raise of_another_version(run, ": its weights are not those of the model now")
            raise fail(
                "E0561",
                f"weight `{name}` has shape {theirs} in `{path}` and {ours} in the model",
                "use the data the run was trained on, or train on this data",
            )
    load_own(recommender, stored)
