"""Attributes that a bundle keeps beside the vectors of its items, to filter by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec
from legoc.tensor_files import save_arrays
from legoc_runtime.columns import Column, make_column, write_columns
from legoc_runtime.errors import RequestError


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


KEPT = "cache/attributes.safetensors"


def write_kept(folder: Path, spec: Spec, prepared: "Prepared") -> dict[str, Any] | None:
    """Write the attributes that the export keeps; the entry of the manifest, None where it keeps
    none. Raises E0835 for one that the items do not have, or that cannot be read."""
    names = tuple(dict.fromkeys(spec.export.keep))
    if not names:
        return None
    records = prepared.item_records(range(1, len(prepared.items)))
    notation = prepared.report.notation if prepared.report is not None else {}
    columns: dict[str, Column] = {}
    entries: list[dict[str, Any]] = []
    for name in names:
        if records and name not in records[0]:
            there = ", ".join(key for key in records[0] if key != "item_id")
            raise fail(
                "E0835", f"the items have no attribute `{name}` to keep", f"they have {there}"
            )
        kind = choose_kind(name, spec, records)
        entry = {"name": name, "kind": kind, **notation.get(name, {})}
        columns[name] = read(entry, [{}, *records])
        entries.append(entry)
    save_arrays(folder / KEPT, write_columns(columns))
    return {"file": KEPT, "columns": entries}


def choose_kind(name: str, spec: Spec, records: Sequence[Mapping[str, Any]]) -> str:
    """What the spec reads it as, else a number where every value is one."""
    for attribute in spec.data.content:
        if getattr(attribute, "name", None) == name:
            return "number" if getattr(attribute, "kind", "") == "number" else "category"
    found = [record[name] for record in records if record.get(name) is not None]
    plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in found)
    return "number" if found and plain else "category"


def read(entry: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> Column:
    """The column of all items, the padding item first."""
    number = entry["kind"] == "number"
    column = make_column(entry, np.zeros(0, np.float64 if number else np.int32), [()])
    try:
        values = column.read(records)
    except RequestError as error:
        raise fail(
            "E0835", f"`{entry['name']}` cannot be kept: {error.message}", error.help
        ) from None
    return make_column(entry, values, column.sets)
