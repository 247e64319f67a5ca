"""`legoc.export`: from a run folder to a bundle."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.exporting.bundle import Bundle, write_bundle
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Export
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.model.run import Run


def export(
    run: "Run | str | Path",
    *,
    settings: Export | None = None,
    folder: str | Path | None = None,
    cache: str | Path | None = None,
    progress: Progress = SILENT,
) -> Bundle:
    """Writes the bundle of a run's best checkpoint.

    run: a run or its folder. settings: instead of the spec's own `export`. folder: where to, the
    run's `bundle/` unless given. cache: where prepared data lie. Errors: those of `write_bundle`,
    of reading the run (E0560, E0561) and of preparing its data (E06xx).
    """
    from legoc.data import prepare
    from legoc.model.run import Run, load_recommender

    run = run if isinstance(run, Run) else Run(Path(run))
    spec = run.spec if settings is None else dataclasses.replace(run.spec, export=settings)
    prepared = prepare(spec, cache=cache, truncated=True, progress=progress)
    recommender = load_recommender(run, prepared.rows)
    source = run.folder / "model.lego"
    return write_bundle(
        recommender, spec, plan(spec), prepared,
        run.bundle if folder is None else Path(folder),
        metrics=run.metrics,
        calibration=run.calibration,
        source_text=source.read_text(encoding="utf-8") if source.is_file() else "",
        progress=progress,
    )  # fmt: skip
