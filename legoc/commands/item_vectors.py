"""`legoc embed`: the vectors of all items in one file, which `content Null(file=...)` reads.

Of a spec those of its language model as it was published; of a run or a bundle the trained ones.
Letters: N items with row 0, W width.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.indexing.log import F32
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import content_model
from legoc.language.ir.spec import Call, Spec
from legoc.progress import SILENT, Progress
from legoc.writing import replacing


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

SUFFIX = ".safetensors"
UNTRAINED = ("cls", "mean", "last")


@dataclass(frozen=True, kw_only=True)
class VectorTable:
    """A written file: items in it, their width, and how many of them are zeros because they say
    nothing."""

    path: Path
    items: int
    width: int
    empty: int

    def to_json(self) -> dict[str, Any]:
        """What the command line prints for machines."""
        return {
            "path": str(self.path), "items": self.items, "width": self.width, "empty": self.empty,
        }  # fmt: skip


def choose_spec(specs: Sequence[Spec], file: str) -> Spec:
    """The one point of a file whose content is a language model; the first where none is. Raises
    E0658 where there are several."""
    found = [spec for spec in specs if content_model(spec) is not None] or specs[:1]
    if len(found) > 1:
        shown = ", ".join(f"`{spec.name}`" for spec in found[:3])
        raise fail(
            "E0658",
            f"`{file}` has {len(found)} points with a language model "
            f"({shown}{', ...' * (len(found) > 3)}), and one table holds the vectors of one",
            "choose with `--only`, such as `--only content=BERT`, or name a file with one run",
        )
    return found[0]


def verify_unchanged(folder: str, flags: Mapping[str, object]) -> None:
    """Refuse flags that change a spec where a run or a bundle is named: that is trained."""
    for flag, value in flags.items():
        if value:
            raise fail(
                "E0658",
                f"`{flag}` changes a spec, and the vectors of `{folder}` are trained",
                f"leave `{flag}` out, or name the `.lego` file",
            )


def embed_spec(
    spec: Spec,
    path: str | Path,
    *,
    pooling: str | None = None,
    cache: str | Path | None = None,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress = SILENT,
) -> VectorTable:
    """Write the pooled last states of a spec's language model, [N, W] of its own width, for every
    item; nothing is trained.

    pooling: `cls`, `mean` or `last`, else that of the spec. cache, threads, device: as in `train`.
    Raises E0658 where the spec has no language model, its pooling would have to be trained, or
    `path` cannot be written, before any data is read; E065x for the model; E0654 for an item whose
    vector is not finite.
    """
    found = content_model(spec)
    if found is None:
        raise fail(
            "E0658",
            f"`{spec.name}` has no language model as content, so it has no vectors before training",
            "train it and name its run folder: legoc embed RUN -o FILE.safetensors",
        )
    call, _ = found
    how = pooling or call.args["pooling"]
    if how not in UNTRAINED:
        raise fail(
            "E0658",
            f"`pooling={how}` of `{call.op}` has weights that nobody has trained yet",
            "add `--pooling mean` (or cls, last), or train it and name its run folder",
        )
    # Prompts and special tokens are those that this pooling reads.
    pooled = Call(op=call.op, args={**call.args, "pooling": how})
    with replaced(Path(path)) as place:
        from legoc.data import prepare
        from legoc.training.machine import choose_device, working

        at = choose_device(device)
        chosen = replace(spec, model={**spec.model, "content": pooled})
        prepared = prepare(chosen, cache=cache, progress=progress)
        with working(threads, at):
            vectors = pool_items(pooled, chosen, prepared, how, at, progress)
        return write(place, Path(path), vectors, prepared.items.ids)


def pool_items(
    call: Call, spec: Spec, prepared: "Prepared", how: str, device: Any, progress: Progress
) -> F32:
    """F[N, W]: what the language model alone makes of every item; zeros where it has no token."""
    import torch

    from legoc.model.build import create, language_model
    from legoc.model.tensors import to_inputs
    from legoc.operators.sizes import Sizes
    from legoc_runtime.chunks import by_length

    # Adapters and side networks are of the training. With all blocks frozen the weights may be held
    # in the narrow type the spec asks for.
    frozen = -1 if call.args["dtype"] == "bfloat16" else None
    bare = Call(op=call.op, args={**call.args, "lora": None, "side": None, "split": frozen})
    sizes = Sizes(width=int(call.args["hidden"]), model=language_model(spec))
    operator: Any = create("content", bare, sizes)
    operator = operator.to(device).eval()
    lengths = prepared.inputs.lengths
    vectors = np.zeros((len(lengths), 0), dtype=np.float32)
    with torch.no_grad(), progress.task("vectors", len(lengths) - 1, "items") as task:
        for rows in by_length(lengths, first=1):
            given = to_inputs(prepared.inputs.rows(rows), device)
            made = operator.pooled(given["tokens"].long(), given["tokens_mask"], how).cpu().numpy()
            if not vectors.shape[1]:
                vectors = np.zeros((len(lengths), made.shape[1]), dtype=np.float32)
            verify_finite(made, [prepared.items.ids[row] for row in rows])
            vectors[rows] = np.where(lengths[rows, None] > 0, made, 0.0)
            task.advance(len(rows))
    return vectors


def embed_trained(
    folder: str | Path,
    path: str | Path,
    *,
    cache: str | Path | None = None,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress = SILENT,
) -> VectorTable:
    """Write the trained item vectors of a run or a bundle; what a bundle holds is not computed
    again. Errors: E0560 for a folder that is
    neither or has no weights yet, E0850 for a damaged bundle, E0658 as for a spec."""
    folder = Path(folder)
    bundle = folder if (folder / "manifest.json").is_file() else folder / "bundle"
    with replaced(Path(path)) as place:
        if (bundle / "manifest.json").is_file():
            from legoc_runtime.bundle import open_bundle
            from legoc_runtime.table import load_table

            table = load_table(open_bundle(bundle))
            return write(place, Path(path), table.vectors.whole(), table.ids)
        from legoc.data import prepare
        from legoc.evaluation.torch_engine import ReadItems, TorchEngine
        from legoc.model.run import Run, load_recommender
        from legoc.training.machine import choose_device, working

        run = Run(folder)
        at = choose_device(device)
        prepared = prepare(run.spec, cache=cache, progress=progress)
        with working(threads, at):
            engine = TorchEngine(load_recommender(run, prepared.rows), at)
            made = engine.encode_items(prepared.inputs)
        found = made.vectors if isinstance(made, ReadItems) else made
        return write(place, Path(path), found.cpu().numpy(), prepared.items.ids)


def verify_finite(vectors: F32, ids: Sequence[str]) -> None:
    """Refuse infinity and NaN, and name the item (E0654)."""
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise fail(
            "E0654",
            f"the language model makes no finite vector of item `{ids[broken[0]]}`",
            "compute in `dtype=float32`, or look at the text of this item",
        )


def write(place: Path, path: Path, vectors: F32, ids: Sequence[str]) -> VectorTable:
    """Write vectors and ids into `place`, which becomes `path`."""
    from legoc.exporting.contents import save_vectors

    save_vectors(place, vectors, ids)
    empty = int((~vectors[1:].any(axis=1)).sum())
    return VectorTable(path=path, items=len(vectors) - 1, width=vectors.shape[1], empty=empty)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its name when the block ends and vanishes when it fails.
    Raises E0658, before the block begins, where no such file can be."""
    if path.suffix != SUFFIX:
        raise fail(
            "E0658",
            f"`{path}` does not end in `{SUFFIX}`, the form that keeps vectors and ids together",
            f"name the file `{path.with_suffix(SUFFIX)}`",
        )
    with ExitStack() as opened:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            place = opened.enter_context(replacing(path))
        except OSError as error:
            raise fail(
                "E0658",
                f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}",
                "name a file in a folder you may write to",
            ) from None
        yield place
