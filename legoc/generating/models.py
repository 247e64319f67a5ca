"""Who answers: the model that a generation names, opened."""

from pathlib import Path

from legoc.generating.answering import Answering
from legoc.language.ir.spec import Call
from legoc.progress import Progress


def open_model(model: Call, root: Path, progress: Progress) -> Answering:
    """The model, ready to answer. Raises E0650, E0651 and E0927 for one on this machine that cannot
    be used; a server is first asked with the first question."""
    if model.op == "API":
        from legoc.generating.api import Client

        return Client.of(model, progress)
    from legoc.generating.local import open_local

    return open_local(model, progress)
