"""What is known of a run before it trains: where it lies, what it needs, how long it may take.

The data is prepared on the way, with all that runs share: tables, tokens, logs, frozen states, and
what counting reaches. So workers that train at the same time find it and make none of it twice.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data import prepare
from legoc.data.cache import cache_root
from legoc.language.ir.checkpoints import content_model
from legoc.language.ir.spec import Spec, is_alone
from legoc.model import compile
from legoc.model.run import Run
from legoc.model.states import frozen_inputs
from legoc.progress import Progress
from legoc.training.folder import infer_folder
from legoc.training.jobs.known import Known
from legoc.training.jobs.memory import batch_sizes, estimate, resident
from legoc.training.jobs.work import operations
from legoc.training.machine import choose_device, working
from legoc.training.settings import Settings


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


def survey(spec: Spec, settings: Settings, progress: Progress) -> Known:
    """Prepare what a run needs and say what is known of it. Raises what `train` would raise."""
    prepared = prepare(
        spec, cache=settings.cache, strict=settings.strict, truncated=settings.truncated,
        progress=progress,
    )  # fmt: skip
    run = Run(infer_folder(Path(settings.runs), spec, prepared.digest))
    finished = run.finished and not settings.again
    if settings.until != "data" and not finished:
        share(spec, prepared, settings, progress)
    batch = (0, 0, 0) if finished else batch_sizes(spec, prepared)
    return Known(
        folder=str(run.folder),
        finished=finished,
        need=0 if finished else estimate(spec, prepared, batch).total,
        work=0.0 if finished else operations(spec, prepared, batch),
        resident=resident(),
    )


def share(spec: Spec, prepared: "Prepared", settings: Settings, progress: Progress) -> None:
    """Make what several runs on the same data read and one of them would write."""
    for name in prepared.logs:
        prepared.logs[name]
    root = cache_root(settings.cache)
    if spec.keys.prefix and content_model(spec) is not None:
        share_states(spec, prepared, settings, root, progress)
    if settings.until == "evaluate" and settings.baselines and not is_alone(spec):
        from legoc.evaluation.public import choose_split
        from legoc.training.results import count_beside

        split = choose_split(prepared.logs, None)
        count_beside(spec, prepared, split, cache=root, progress=progress)


def share_states(
    spec: Spec, prepared: "Prepared", settings: Settings, root: Path, progress: Progress
) -> None:
    """The values of a frozen prefix, on the device and the threads of the training."""
    device = choose_device(settings.device)
    with working(settings.threads, device):
        recommender = compile(spec).build(prepared.rows).to(device)
        frozen_inputs(recommender, spec, prepared, root, progress=progress)
