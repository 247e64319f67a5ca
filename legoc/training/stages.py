"""What surrounds a training: its folder before, its cost meanwhile, its results afterwards.

Where several processes train together, the first alone does this.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from legoc.data.cache import cache_root
from legoc.language.ir.counted import is_asked_spec
from legoc.language.ir.spec import Spec, is_alone
from legoc.model.run import Run
from legoc.progress import Progress
from legoc.training.calibration import obtain_calibration, verify_labels
from legoc.training.checkpoint import state_path
from legoc.training.cost import counted
from legoc.training.folder import enter_index, locked, open_folder
from legoc.training.ranks.world import World
from legoc.training.results import obtain_bundle, obtain_metrics
from legoc.training.settings import Settings
from legoc.training.sharing import take_over
from legoc.training.sittings import enter_sitting
from legoc.training.trackers import Tracking
from legoc.training.validation import verify_monitor


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


def open_run(
    run: Run, spec: Spec, settings: Settings, stack: ExitStack, progress: Progress
) -> bool:
    """Hold the folder of a run, as long as `stack` does, and bring it to where work on it may
    begin. Whether there is something to train."""
    runs = Path(settings.runs)
    stack.enter_context(locked(run.folder))
    open_folder(run.folder, spec, again=settings.again)
    enter_index(runs, spec.name, run.folder)
    if settings.until == "data":
        return False
    if not settings.again and (other := take_over(run)) is not None:
        progress.say(f"{spec.name}: trained already, in {other}")
    return not run.finished or has_more_time(run, progress)


def begin(
    run: Run,
    spec: Spec,
    prepared: "Prepared",
    environment: Mapping[str, Any],
    tracking: Tracking,
    stack: ExitStack,
    progress: Progress,
) -> None:
    """What is verified and written down before a training begins or goes on. The trackers are told
    of its end when `stack` is left."""
    if not is_alone(spec):
        verify_monitor(spec, prepared)
        verify_labels(spec, prepared)
    enter_sitting(run.folder, environment, progress)
    stack.callback(tracking.end, run)
    tracking.start(run)


@contextmanager
def counting(
    run: Run, settings: Settings, device: torch.device, world: World
) -> Iterator[dict[str, Any]]:
    """Count what the block costs, in all processes, into the folder of the run."""
    if not world.first:
        yield {}
        return
    begun = state_path(run.folder).is_file()
    with counted(
        run.folder, begun=begun, energy=settings.energy, gpu=device.type == "cuda",
        others=world.others,
    ) as cost:  # fmt: skip
        yield cost


def finish(
    run: Run,
    prepared: "Prepared",
    settings: Settings,
    device: torch.device,
    progress: Progress,
) -> None:
    """What follows a training, as far as the settings go."""
    root = cache_root(settings.cache)
    if not is_asked_spec(run.spec):
        obtain_calibration(run, prepared, device, root, progress)
        if settings.until in ("export", "evaluate"):
            obtain_bundle(run, prepared, progress)
    if settings.until == "evaluate":
        obtain_metrics(run, prepared, progress, baselines=settings.baselines, cache=root)


def has_more_time(run: Run, progress: Progress) -> bool:
    """Whether a training that its limit has ended may go on: the limit is no part of what a run
    is, and may be longer now."""
    recipe, end = run.spec.train, run.end
    if recipe is None or end is None or end["reason"] != "limit":
        return False
    more = recipe.limit is None or end["seconds"] < recipe.limit
    if more and not state_path(run.folder).is_file():
        progress.say(
            f"{run.spec.name}: ended by an earlier limit after {end['seconds']:.0f} s and cannot "
            "go on; train it again with `--again`"
        )
        return False
    return more
