"""Opening what is evaluated: a run or a bundle, its spec and its engine."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from legoc.evaluation.engine import Engine
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.counted import is_asked_spec
from legoc.language.ir.places import find_places, list_places
from legoc.language.ir.spec import Spec
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc_runtime.bundle import Bundle

EngineName = Literal["onnxruntime", "torch"]


def locate(run_or_bundle: Any) -> Path:
    """The folder of a run or a bundle, or E0592."""
    given = getattr(run_or_bundle, "folder", None) or getattr(run_or_bundle, "path", run_or_bundle)
    folder = Path(given)
    if not (folder / "manifest.json").is_file() and not (folder / "spec.json").is_file():
        raise fail(
            "E0592",
            f"`{folder}` is neither a run nor a bundle",
            "name a folder that `legoc train` wrote, such as one below `runs/`, or its `bundle`",
        )
    return folder


def open_bundle_of(folder: Path, engine: EngineName) -> "Bundle | None":
    """The verified bundle that is to be run; None where torch runs the weights of a run, and where
    its model is asked."""
    from legoc_runtime.bundle import open_bundle

    is_bundle = (folder / "manifest.json").is_file()
    if engine == "torch":
        if is_bundle:
            raise fail(
                "E0592",
                f"`{folder}` is a bundle, and torch evaluates the weights of a run",
                "name the run folder, or evaluate the bundle through onnxruntime",
            )
        return None
    place = folder if is_bundle else folder / "bundle"
    if not place.is_dir():
        if is_asked_run(folder):
            return None
        raise fail(
            "E0592",
            f"the run `{folder}` has no bundle yet",
            f"write it with `legoc export {folder}`",
        )
    return open_bundle(place)


def read_spec(folder: Path, bundle: "Bundle | None", data: str | Path | None = None) -> Spec:
    """The spec of a run or a bundle, its files and folders where they can be found."""
    from legoc.model.run import Run
    from legoc.model.run import read_spec as read_stored

    if bundle is None or not (folder / "manifest.json").is_file():
        spec = Run(folder).spec
    else:
        spec = read_stored(bundle.manifest["spec"], folder / "manifest.json", "E0592")
        run = folder.resolve().parent
        if data is None and (run / "spec.json").is_file():
            trained = Run(run).spec
            spec = trained if trained.keys == spec.keys else spec
    if data is not None:
        return find_places(spec, str(data))
    for place in list_places(spec):
        # A bundle carries names: a path is whole where it was not exported.
        if not os.path.isabs(place) and not os.path.exists(place):
            raise fail(
                "E0593",
                f"the data of this bundle, `{place}`, is not in the working directory",
                "name the folder that holds it with `--data FOLDER`",
            )
    return spec


def read_calibration(folder: Path, bundle: "Bundle | None") -> Mapping[str, Any] | None:
    """The two numbers of a calibrated model."""
    from legoc.model.run import Run

    return Run(folder).calibration if bundle is None else bundle.manifest.get("calibration")


def build_engine(
    folder: Path,
    bundle: "Bundle | None",
    prepared: "Prepared",
    *,
    cached: bool,
    device: str = "cpu",
    spec: Spec | None = None,
    progress: Progress = SILENT,
) -> Engine:
    """The engine of a bundle, of a run on a device, or of a run whose model is asked. A bundle
    whose vectors are of this very data encodes no item again, which with a language model takes
    longer than all the rest."""
    if bundle is not None:
        from legoc_runtime.engine import Engine as BundleEngine

        stored = cached and bundle.manifest["provenance"]["data"] == prepared.digest
        if not stored or bundle.parts.flattens:
            verify_reading(bundle, prepared)
        return BundleEngine(bundle, ids=prepared.items.ids, stored=stored)
    if spec is not None and is_asked_spec(spec):
        from legoc.generating.asking import JOURNAL, Asked

        return Asked(spec, prepared, folder / JOURNAL, progress)
    from legoc.evaluation.torch_engine import TorchEngine
    from legoc.model.run import Run, load_recommender

    return TorchEngine(load_recommender(Run(folder), prepared.rows), device)


def is_asked_run(folder: Path) -> bool:
    """Whether a run has no bundle because its model is asked."""
    from legoc.model.run import Run

    try:
        return is_asked_spec(Run(folder).spec)
    except LegoError:
        return False


def tell(engine: Any, progress: Progress) -> None:
    """Say what a model behind an interface was asked; nothing of others."""
    tally = getattr(engine, "tally", None)
    for line in [] if tally is None else tally.lines():
        progress.say(line)


def verify_here(spec: Spec, what: str) -> None:
    """E0875 for a model behind an interface, which is measured on what was shown alone."""
    if is_asked_spec(spec):
        raise fail(
            "E0875",
            f"the model of `{spec.name}` is behind an interface and {what}",
            "measure it on what was shown: `legoc eval FILE`, with `--scores` for all scores",
        )


def verify_reading(bundle: "Bundle", prepared: "Prepared") -> None:
    """E0593 where the data give a text other ids than those the bundle was trained with: words that
    are learned from other items, or cut by another version."""
    reading, folder = bundle.manifest.get("reading"), prepared.reading_folder
    if reading is None or prepared.reading is None or folder is None:
        return
    ours = unfold_reading(prepared.reading, lambda name: (folder / name).read_bytes())
    if unfold_reading(reading, bundle.read) == ours:
        return
    raise fail(
        "E0593",
        "the words of the data have other numbers than those the bundle was trained with",
        "evaluate it on the data of its training, or train again with this version",
    )


def unfold_reading(reading: Mapping[str, Any], read: Callable[[str], bytes]) -> dict[str, Any]:
    """A reading with what its files say of ids in the place of their names."""
    known: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    for part in reading["parts"]:
        unfolded = dict(part)
        for key in {"tokenizer", "vocabulary"} & part.keys():
            if part[key] not in known:
                content = json.loads(read(part[key]))
                known[part[key]] = content["model"]["vocab"] if "model" in content else content
            unfolded[key] = known[part[key]]
        parts.append(unfolded)
    return {**reading, "parts": parts}
