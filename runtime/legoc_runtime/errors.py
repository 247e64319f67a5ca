"""What goes wrong when a bundle is loaded or asked: one sentence on the fault, one on what to do.

LegoRuntimeError
├── BundleError     the bundle is damaged, unsafe, of another format, or fails its own test
└── RequestError    the caller asked for something the bundle cannot do
"""


class LegoRuntimeError(Exception):
    """`message` says what is wrong, `help` what to do about it."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(f"{message}; {help}" if help else message)
        self.message = message
        self.help = help


class BundleError(LegoRuntimeError):
    """A bundle (or a part of one) that must not be used."""


class RequestError(LegoRuntimeError):
    """A call whose arguments the model cannot serve."""
