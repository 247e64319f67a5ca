"""The closed set of codes. Each is declared once, in the module of its range."""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module


@dataclass(frozen=True, kw_only=True)
class Code:
    """What `legoc explain` prints. `bad` and `good` are examples in .lego, or shell text for the
    codes of data, training and export."""

    code: str
    title: str
    explanation: str
    bad: str
    good: str


@lru_cache(maxsize=1)
def all_codes() -> Mapping[str, Code]:
    """Every code by its name, from the modules beside this one. Two of one name are refused."""
    found: dict[str, Code] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for code in import_module(f"{__name__}.{module}").CODES:
            if code.code in found:
                raise ValueError(f"{code.code} is declared twice")
            found[code.code] = code
    return dict(sorted(found.items()))
