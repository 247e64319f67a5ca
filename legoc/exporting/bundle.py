"""The bundle of DESIGN section 7: proved graphs, caches, tokenizers, certificate, in one folder.

It appears complete or not at all.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from legoc.data.indexing.log import F32
from legoc.evaluation.public import chosen_metrics
from legoc.exporting import contents
from legoc.exporting.card import model_card
from legoc.exporting.certificate import Whole, certify, choose_split
from legoc.exporting.cold import write_cold
from legoc.exporting.engine import Side, encode_items, item_rows
from legoc.exporting.finiteness import verify_table, verify_weights
from legoc.exporting.gates import TARGET, Figure
from legoc.exporting.graph_files import GraphFile, graph_manifest, write_graphs
from legoc.exporting.graphs import reference_copy
from legoc.exporting.hard_texts import write_texts
from legoc.exporting.kept import write_kept
from legoc.exporting.precision_text import MIXED
from legoc.exporting.provenance import describe_provenance
from legoc.exporting.staging import MANIFEST, staged
from legoc.exporting.tolerance import Choice, apply_tolerance, verify_tolerance
from legoc.exporting.variants import FULL
from legoc.language.ir import form
from legoc.language.ir.notation import write_pipeline
from legoc.language.ir.places import list_places, name_places
from legoc.language.ir.plan import Plan
from legoc.language.ir.spec import Spec
from legoc.language.ir.text import resolved_text
from legoc.progress import SILENT, Progress
from legoc_runtime.prompting import Prompt


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


FORMAT = "legoc-bundle/1"
CARD = "README.md"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A written bundle: its folder and its manifest."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def certificate(self) -> Mapping[str, Any]:
        return self.manifest["certificate"]


def write_bundle(
    recommender: nn.Module,
    spec: Spec,
    plan: Plan,
    prepared: "Prepared",
    folder: Path,
    *,
    metrics: Any = None,
    calibration: Mapping[str, Any] | None = None,
    source_text: str = "",
    graphs: Callable[..., dict[str, GraphFile]] = write_graphs,
    progress: Progress = SILENT,
) -> Bundle:
    """Exports a trained model on its data to `folder`, replacing an earlier bundle there.

    metrics: what evaluation of the run found, in JSON's types, for the model card. calibration: the
    two numbers of a calibrated model, which are in its predictor. source_text: the
    spec as written, where the spec does not carry it; one that names files or folders is written
    anew with their names alone, for a bundle travels. graphs: what writes the graphs, called as
    `write_graphs` is. Errors: E0806 to E0808 for a tolerance that means nothing, E0820 to E0828
    where a gate fails, E0830 where `folder` holds something else; nothing is written then.
    """
    folder = Path(folder)
    verify_tolerance(spec.export)
    with staged(folder) as place:
        reference = reference_copy(recommender)
        verify_weights(reference)
        files = graphs(
            reference, spec, plan, prepared.rows, place,
            labels=describe_model(spec, prepared), progress=progress,
        )  # fmt: skip
        torch_table = read_table(reference, prepared.rows.items) if plan.layout == "id" else None
        prompt: Prompt | None = getattr(reference, "prompt", None)
        if prompt is not None and prompt.joined:
            every = np.arange(prepared.rows.items, dtype=np.int32)
            whole = plan.user == "texts"
            torch_table = item_rows(prompt, prepared.inputs, every, whole=whole)
        choice = None
        if spec.export.tolerate is not None:
            choice = apply_tolerance(
                spec, plan, prepared, files, torch_table, place, progress, prompt
            )
            files = choice.files
        table = item_table(files, plan, prepared, torch_table, progress, prompt)
        verify_table(table, prepared.items.ids)
        contents.write_items(place, table, prepared.items.ids)
        reads_clicked = plan.graph("user_encoder") is not None and plan.flattens
        if reads_clicked:
            contents.write_tokens(place, prepared.inputs)
        if plan.reads_user:
            contents.write_users(place, prepared.users.ids)
        profile = None
        if prepared.profiles is not None:
            profile = contents.write_profiles(place, prepared.profiles)
        kept = write_kept(place, spec, prepared)
        context = None
        if prepared.context is not None:
            contents.write_counters(place, prepared.context)
            context = contents.describe_context(prepared.context, reference.prior.neutral)
        cold = write_cold(
            place, spec.export.cold, written_side(plan, prepared, files, prompt), prepared, table
        )
        probes = None
        if prepared.reading is not None:
            contents.copy_reading(prepared.reading_folder, prepared.reading, place)
            probes = write_texts(place, prepared.reading)
        contents.write_golden(
            place,
            {name: made.probes for name, made in files.items()},
            {name: made.graph for name, made in files.items()},
            {name: made.run for name, made in files.items()},
        )
        progress.say("comparing torch and onnxruntime on real rows")
        whole, real = prove(spec, plan, prepared, files, torch_table, table, prompt)
        manifest = {
            "format": FORMAT,
            "spec": form.to_json(name_places(spec)),
            "graphs": graph_manifest(list(files.values()), place),
            "plan": {
                "layout": plan.layout, "user": plan.user, "reads_user": plan.reads_user,
                "width": table.shape[1],
            },
            "reading": prepared.reading,
            "history": spec.data.history,
            "items": {
                "file": contents.ITEMS, "rows": len(table),
                "generated": prepared.generated,
            },
            "calibration": None if calibration is None else dict(calibration),
            "tokens": {"file": contents.TOKENS} if reads_clicked else None,
            "users": {"file": contents.USERS} if plan.reads_user else None,
            "profile": profile,
            "attributes": kept,
            "context": context,
            "cold": cold,
            "probes": probes,
            "certificate": describe_certificate(spec, files, real, whole, choice),
            "provenance": describe_provenance(spec, prepared.digest),
        }  # fmt: skip
        text = source_text or spec.source_text or f"{write_pipeline(spec.model)}\n"
        if list_places(spec):
            text = resolved_text(name_places(spec))
        (place / "model.lego").write_text(text, encoding="utf-8")
        card = model_card(spec, plan, manifest, metrics)
        (place / CARD).write_text(card, encoding="utf-8")
        manifest["files"] = contents.describe_files(place)
        contents.write_json(place / MANIFEST, manifest)
    return Bundle(path=folder, manifest=manifest)


def describe_model(spec: Spec, prepared: "Prepared") -> dict[str, str]:
    """The labels that all graphs of a model share; the tokenizer digest covers what turns raw
    attributes into ids."""
    labels = {"legoc.format": FORMAT, "legoc.spec": spec.keys.spec}
    if prepared.reading is not None:
        hashed = hashlib.sha256(json.dumps(prepared.reading, sort_keys=True).encode())
        for name in contents.reading_files(prepared.reading):
            hashed.update((prepared.reading_folder / name).read_bytes())
        labels["legoc.tokenizer"] = hashed.hexdigest()
    return labels


def read_table(reference: Any, rows: int) -> F32:
    """The item vectors [N, D] of a model whose items are rows of a table; row 0 is zero."""
    with torch.no_grad():
        table = reference.encode_items({"item": torch.arange(rows)}).numpy().copy()
    table[0] = 0.0
    return table


def item_table(
    files: Mapping[str, GraphFile],
    plan: Plan,
    prepared: "Prepared",
    torch_table: F32 | None,
    progress: Progress,
    prompt: Prompt | None = None,
) -> F32:
    """The item matrix [N, D]: what the exported item encoder makes of every item, or the table; of
    items that end a text the rows of their tokens."""
    if torch_table is not None:
        return torch_table
    assert plan.item_encoder is not None
    made = files[plan.item_encoder.name]
    every = np.arange(len(prepared.items), dtype=np.int32)
    return encode_items(made.run, made.graph, prepared.inputs, every, progress, prompt)


def written_side(
    plan: Plan, prepared: "Prepared", files: Mapping[str, GraphFile], prompt: Prompt | None
) -> Side:
    """The written graphs, as they encode users and score."""
    return Side(
        plan=plan, runs={name: made.run for name, made in files.items()},
        inputs=prepared.inputs if plan.flattens else None, profiles=prepared.profiles,
        prompt=prompt,
    )  # fmt: skip


def prove(
    spec: Spec, plan: Plan, prepared: "Prepared", files: Mapping[str, GraphFile],
    torch_table: F32 | None, table: F32, prompt: Prompt | None = None,
) -> tuple[Whole | None, dict[str, Figure]]:  # fmt: skip
    """The certificate's figures on real rows; none where no row is labelled."""
    split = choose_split(prepared.logs)
    if split is None:
        return None, {}
    return certify(
        Side(
            plan=plan,
            runs={name: made.reference for name, made in files.items()},
            profiles=prepared.profiles,
            prompt=prompt,
        ),
        written_side(plan, prepared, files, prompt),
        torch_table,
        table,
        prepared.inputs,
        prepared.logs[split],
        split,
        chosen_metrics(spec),
        seed=spec.train.seed if spec.train is not None else 0,
        tolerance=spec.export.parity if is_full(files) else None,
    )


def is_full(files: Mapping[str, GraphFile]) -> bool:
    """Whether all graphs are as they passed their gates, in float32."""
    return all(made.precision == FULL for made in files.values())


def describe_certificate(
    spec: Spec, files: Mapping[str, GraphFile], real: Mapping[str, Figure], whole: Whole | None,
    choice: Choice | None,
) -> dict[str, Any]:  # fmt: skip
    """`difference` is the largest of all float32 graphs over probes and real rows; `tolerated` says
    what was tried where `tolerate` chose the precisions."""
    graphs = {name: made.certificate(real.get(name)) for name, made in files.items()}
    found = [graph["difference"] for graph in graphs.values()]
    precisions = {made.precision for made in files.values()}
    if is_full(files):
        found += [graph["real"] for graph in graphs.values() if graph["real"] is not None]
        found += [] if whole is None else [whole.difference]
    return {
        "tolerance": spec.export.parity,
        "target": TARGET,
        "precision": MIXED if len(precisions) > 1 else min(precisions),
        "opset": spec.export.opset,
        "difference": max(found),
        "graphs": graphs,
        "whole": None if whole is None else whole.to_json(),
        **({} if choice is None else {"tolerated": dict(choice.record)}),
    }
