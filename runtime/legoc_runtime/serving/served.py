"""The model that is served at the moment, and another one in its place without a gap."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TypeVar

from legoc_runtime.errors import BundleError
from legoc_runtime.items import Items
from legoc_runtime.model import Model, load
from legoc_runtime.serving.measures import Measures


T = TypeVar("T")


class Served:
    """One model at a time. A request takes it once, so it is answered by one model even while
    another takes its place.

    catalogue: a file that keeps the items; it is read where there is one, and written by `keep`.
    """

    def __init__(self, path: Path, measures: Measures, *, catalogue: Path | None = None) -> None:
        self.path, self.measures, self.catalogue = path, measures, catalogue
        self.swapping, self.changing = Lock(), Lock()
        self.model = self.open()
        if catalogue is not None and catalogue.exists():
            self.model.items.load(catalogue)

    def open(self) -> Model:
        model = load(self.path)
        model.self_test()
        return model

    def change(self, does: Callable[[Items], T]) -> T:
        """What a change of the items gives. None is made while another model takes over, so that
        none is made to items that are then gone."""
        with self.changing:
            return does(self.model.items)

    def swap(self) -> str:
        """Load the bundle that now lies at the path and serve it; what is loaded goes on serving
        until it is whole, tested and, with a catalogue, has the items as they are now. A line that
        says what was done. Raises BundleError where the new one cannot be served and RequestError
        where the catalogue cannot be written; then nothing has changed."""
        with self.swapping:
            model = self.open()
            with self.changing:
                aside = self.hand_over(model)
                self.model = model
            self.measures.count("swaps")
        return f"serving {model!r}{aside}"

    def hand_over(self, model: Model) -> str:
        """Give a model the items of the one before, where there is a catalogue and both encode
        alike; else what becomes of them."""
        kept = self.catalogue
        if kept is None:
            return ""
        self.model.items.save(kept)
        try:
            model.items.load(kept)
        except BundleError:
            # Another model makes other vectors: its items are those of its own bundle, and what
            # was kept of the one before is not written over.
            before = kept.with_name(f"{kept.name}.before")
            kept.replace(before)
            return f"; the items of the model before are in {before}"
        return ""

    def keep(self) -> None:
        """Write the catalogue, where there is one to write. RequestError where it cannot be."""
        if self.catalogue is not None:
            self.model.items.save(self.catalogue)
