"""The files that a split reads, and its settings as the key of tables has them."""

from pathlib import Path
from typing import Any

from legoc.data.splitting.orders import VALID
from legoc.data.splitting.protocols import PROTOCOLS
from legoc.data.staging.source import Source
from legoc.language.ir.spec import Call


def files_of(split: Call, source: Source) -> list[Path]:
    """The files that a split reads, those included that lie beside the data for it."""
    beside = getattr(source, "orders", None)
    found: list[Path] = beside() if beside is not None and split.op in PROTOCOLS else []
    for name in ("halves", "order"):
        given = split.args.get(name)
        if isinstance(given, str):
            found += [Path(given), *([Path(given).with_name(VALID)] if name == "order" else [])]
    return [path for path in found if path.is_file()]


def told_of(split: Call) -> dict[str, Any]:
    """The settings of a split as a key has them: where the order of users lies is no part of it."""
    args = dict(split.args)
    order = args.pop("order", None)
    return args if order is None else {**args, "order": Path(order).name}
