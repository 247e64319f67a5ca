"""The model that is served at the moment, and another one in its place without a gap."""

from pathlib import Path
from threading import Lock

from legoc_runtime.errors import BundleError
from legoc_runtime.model import Model, load
from legoc_runtime.serving.measures import Measures


class Served:
    """One model at a time. A request takes it once, so it is answered by one model even while
    another takes its place.

    catalogue: a file that keeps the items; it is read where there is one, and written by `keep`.
    """

    def __init__(
        self, path: Path, measures: Measures, *, threads: int = 1, catalogue: Path | None = None
    ) -> None:
        self.path, self.measures, self.threads = path, measures, threads
        self.catalogue = catalogue
        self.lock = Lock()
        self.model = self.open()
        if catalogue is not None and catalogue.exists():
            self.model.items.load(catalogue)

    def open(self) -> Model:
        model = load(self.path, threads=self.threads)
        model.self_test()
        return model

    def swap(self) -> str:
        """Load the bundle that now lies at the path and serve it; what is loaded goes on serving
        until it is whole, tested and, with a catalogue, has its items. A line that says what was
        done. Raises BundleError, and changes nothing, where the new one cannot be served."""
        with self.lock:
            model, kept, aside = self.open(), self.catalogue, ""
            if kept is not None and kept.exists():
                try:
                    model.items.load(kept)
                except BundleError:
                    # Another model makes other vectors: its items are those of its own bundle, and
                    # what was kept of the one before is not written over.
                    before = kept.with_name(f"{kept.name}.before")
                    kept.replace(before)
                    aside = f"; the items of the model before are in {before}"
            self.model = model
            self.measures.count("swaps")
        return f"serving {model!r}{aside}"

    def keep(self) -> None:
        """Write the catalogue, where there is one to write."""
        if self.catalogue is not None:
            with self.lock:
                self.model.items.save(self.catalogue)
