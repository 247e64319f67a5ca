"""Entering what evaluation found into the card of a bundle that is already written.

The figures come from running the bundle itself, so they are known only after it stands.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from legoc.exporting import contents
from legoc.exporting.bundle import CARD, Bundle
from legoc.exporting.card import model_card
from legoc.exporting.staging import MANIFEST, staged
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir import form
from legoc.language.ir.places import name_places
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Spec


def record_metrics(folder: str | Path, metrics: Any, spec: Spec | None = None) -> Bundle:
    """Writes a bundle's README.md anew with `metrics` (the JSON of evaluation reports), and its
    spec where another is given, which asks for other metrics of the same model; the bundle is
    replaced as a whole. Errors: E0829 where `folder` has no manifest."""
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        raise fail(
            "E0829", f"`{folder}` has no readable {MANIFEST}", "export the run again"
        ) from None
    if spec is not None:
        manifest["spec"] = form.to_json(name_places(spec))
    spec = form.from_json(manifest["spec"])
    with staged(folder) as place:
        # Links share the content of what stays; what changes is removed first.
        shutil.copytree(folder, place, copy_function=os.link, dirs_exist_ok=True)
        for name in (CARD, MANIFEST):
            (place / name).unlink(missing_ok=True)
        card = model_card(spec, plan(spec), manifest, metrics)
        (place / CARD).write_text(card, encoding="utf-8")
        manifest["files"][CARD] = {
            "sha256": contents.digest(place / CARD),
            "bytes": (place / CARD).stat().st_size,
        }
        contents.write_json(place / MANIFEST, manifest)
    return Bundle(path=folder, manifest=manifest)
