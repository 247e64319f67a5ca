"""Whether the memory lasts for a training, said before it begins, with the setting to change.

A close look at what a batch takes costs seconds, so it is taken only where a generous guess comes
near to what is free.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec, Train
from legoc.progress import Progress
from legoc.training.jobs.memory import (
    FLOAT,
    NAME,
    Need,
    array_bytes,
    batch_sizes,
    beside,
    estimate,
    resident,
)
from legoc.training.jobs.room import free_memory
from legoc.training.ranks.world import World


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.model.recommender import Recommender

GIB = 1 << 30
# A guess is far above what is counted, and an estimate may be too high by a third.
NEAR, CERTAIN = 0.5, 1.5
# Tensors of a batch that each part of a model leaves behind on the way forward, at most.
LEFT = 4


def verify_memory(
    spec: Spec, prepared: "Prepared", module: "Recommender", world: World, progress: Progress
) -> None:
    """E0576 where a training takes far more memory than there is, a warning where it may take
    more. module: the model on its device."""
    device = next(module.parameters()).device
    free = free_on(device)
    if free is None or spec.train is None:
        return
    sizes = batch_sizes(spec, prepared)
    if guess(spec.train, prepared, module, sizes) * world.locals < NEAR * free:
        return
    need = shared(estimate(spec, prepared, sizes), world)
    if device.type == "cuda":
        need, beside = replace(need, process=0, data=0), 0
    else:
        need, beside = replace(need, process=max(need.process - resident(), 0)), world.locals - 1
    whole = need.total * (1 + beside)
    if whole <= free:
        return
    together = f", {world.locals} processes on this machine together" if beside else ""
    said = (
        f"training takes about {whole / GIB:,.1f} GiB{together}, and {free / GIB:,.1f} GiB "
        f"{'of the GPU ' if device.type == 'cuda' else ''}are free"
    )
    why, help = remedy(need, spec.train)
    if whole > CERTAIN * free:
        raise fail("E0576", said, help, notes=(why,))
    progress.say(f"warning: {said}: {why}; {help}")


def free_on(device: torch.device) -> int | None:
    """The free bytes where a model trains; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return free_memory() if device.type == "cpu" else None


def shared(need: Need, world: World) -> Need:
    """What each of several processes needs: they share every batch and nothing else."""
    return replace(need, batch=-(-need.batch // world.size))


def guess(
    train: Train, prepared: "Prepared", module: "Recommender", sizes: tuple[int, int, int]
) -> int:
    """Bytes that are hardly ever reached, counted in no time."""
    every = sum(p.numel() for p in module.parameters())
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    width = max((p.shape[-1] for p in module.parameters() if p.ndim > 1), default=1)
    tokens = max(prepared.rows.longest or 0, int(prepared.inputs.lengths.max(initial=1)), 1)
    rows, candidates, items = sizes
    history = max(most_clicks(prepared), 1)
    # A pair reads every click in some models; in others a click is all its tokens.
    pairs = rows * candidates * (history if module.reads_clicks else 1)
    places = items * tokens + pairs + rows * history * (tokens if module.flatten is not None else 1)
    parts = sum(1 for _ in module.modules())
    return (
        FLOAT * (every + trained * beside(train) + prepared.rows.items * width)
        + array_bytes(prepared) + NAME * (len(prepared.items) + len(prepared.users))
        + FLOAT * places * (width + tokens + history) * parts * LEFT
    )  # fmt: skip


def most_clicks(prepared: "Prepared") -> int:
    """The clicks of the longest history."""
    starts = prepared.logs["train"].starts
    return int((starts[1:] - starts[:-1]).max(initial=0))


def remedy(need: Need, train: Train) -> tuple[str, str]:
    """What takes most, and what to type."""
    parts = {"weights": need.weights, "data": need.data, "batch": need.batch}
    most = max(parts, key=lambda name: parts[name])
    size = f"{parts[most] / GIB:,.1f} GiB"
    if most == "weights":
        return (
            f"{size} of it are the weights with their gradients and moments",
            "lower `hidden`, or have fewer rows in its tables: `tokenizer = subwords(size=10k)`",
        )
    if most == "data":
        return f"{size} of it are the data", "shorten `history`, or name fewer attributes"
    half = max(train.batch // 2, 1)
    return (
        f"{size} of it are what a batch leaves for the way back",
        f"lower `batch` (now {train.batch}): `--set train.batch={half}` "
        f"`--set train.accumulate={2 * train.accumulate}`",
    )
