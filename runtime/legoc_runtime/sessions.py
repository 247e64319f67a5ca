"""The one place where onnxruntime sessions are made."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from legoc_runtime.errors import BundleError, RequestError


Level = Literal["disabled", "basic", "extended", "all"]
Providers = Literal["auto"] | Sequence[str]

ERRORS_ONLY = 3
# No folder, on any system: a graph given as bytes would look for weights it names where the process
# happens to work.
NOWHERE = os.path.join(os.devnull, "nowhere")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How sessions run.

    threads: intra-op threads of each. providers: "auto" (CUDA where it is there, then the CPU) or
    names such as "CUDAExecutionProvider" or "cuda", in order of preference. strict: a provider that
    was named and is not used is an error instead of a warning. level: graph optimisations.
    """

    threads: int = 1
    providers: Providers = "auto"
    strict: bool = False
    level: Level = "basic"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A graph ready to run, by any number of threads at once."""

    name: str
    inner: Any
    providers: tuple[str, ...]

    @property
    def inputs(self) -> dict[str, str]:
        """The element type of each input, as `tensor(int64)`."""
        return {port.name: port.type for port in self.inner.get_inputs()}

    @property
    def shapes(self) -> dict[str, list[int | None]]:
        """The dimensions of each input and output, None where any will do."""
        ports = (*self.inner.get_inputs(), *self.inner.get_outputs())
        return {
            port.name: [dim if isinstance(dim, int) else None for dim in port.shape]
            for port in ports
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The only output of the graph. Raises BundleError where it cannot be computed."""
        try:
            (output,) = self.inner.run(None, dict(inputs))
        except Exception as error:  # onnxruntime's exceptions have no common base class
            raise BundleError(
                f"`{self.name}` cannot compute its output ({first_line(error)})",
                "export the bundle again",
            ) from error
        return output


def open_session(
    graph: Path | bytes,
    settings: Settings | None = None,
    name: str = "",
    weights: Mapping[str, Any] | None = None,
) -> Session:
    """A session of an ONNX file, or of its bytes.

    weights: for bytes, what the files hold that the graph may name as its weights, by the names it
    uses (relative, with `/`). It reads no other file.

    Raises BundleError where onnxruntime refuses the graph and RequestError where a provider is
    missing and `strict` is set.
    """
    settings = settings or Settings()
    label = name or (graph.name if isinstance(graph, Path) else "a graph")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    # Spinning gains little alone and costs much beside other sessions.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = optimisation(settings.level)
    options.log_severity_level = ERRORS_ONLY
    if isinstance(graph, bytes):
        give_weights(options, weights or {}, label)
    asked = ask_providers(settings)
    if "CUDAExecutionProvider" in asked and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    try:
        inner = onnxruntime.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, providers=asked
        )
    except Exception as error:  # onnxruntime's exceptions have no common base class
        raise BundleError(
            f"`{label}` is not a graph onnxruntime can load ({first_line(error)})",
            "export the bundle again",
        ) from error
    session = Session(name=label, inner=inner, providers=tuple(inner.get_providers()))
    report_providers(settings, session)
    return session


def give_weights(options: Any, weights: Mapping[str, Any], label: str) -> None:
    """Let a graph read these weights, and none from the disk."""
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", NOWHERE
    )
    given = {name: content for name, content in weights.items() if len(content)}
    if not given:
        return
    if not hasattr(options, "add_external_initializers_from_files_in_memory"):
        raise BundleError(
            f"the weights of `{label}` lie in files of their own, which onnxruntime "
            f"{onnxruntime.__version__} reads only unverified",
            "install onnxruntime 1.24 or newer",
        )
    names, contents = list(given), list(given.values())
    sizes = [len(content) for content in contents]
    options.add_external_initializers_from_files_in_memory(names, contents, sizes)


def optimisation(level: Level) -> Any:
    levels = onnxruntime.GraphOptimizationLevel
    known = {
        "disabled": levels.ORT_DISABLE_ALL,
        "basic": levels.ORT_ENABLE_BASIC,
        "extended": levels.ORT_ENABLE_EXTENDED,
        "all": levels.ORT_ENABLE_ALL,
    }
    if level not in known:
        raise RequestError(f"{level!r} is not a level", f"use one of {', '.join(known)}")
    return known[level]


def named(settings: Settings) -> list[str]:
    """The full names of the providers that were asked for, empty for `auto`."""
    if settings.providers == "auto":
        return []
    given = [settings.providers] if isinstance(settings.providers, str) else settings.providers
    known = {full.removesuffix("ExecutionProvider").lower(): full for full in all_providers()}
    full: list[str] = []
    for name in given:
        found = known.get(name.removesuffix("ExecutionProvider").lower())
        if found is None:
            raise RequestError(
                f"{name!r} is not a provider of onnxruntime", f"use one of {', '.join(known)}"
            )
        full.append(found)
    return full


def all_providers() -> list[str]:
    return onnxruntime.get_all_providers()


def ask_providers(settings: Settings) -> list[str]:
    """What is handed to onnxruntime: it would only warn of names it was not built with."""
    available = onnxruntime.get_available_providers()
    wanted = named(settings) or ["CUDAExecutionProvider"]
    asked = [name for name in wanted if name in available]
    return [*asked, *(["CPUExecutionProvider"] if "CPUExecutionProvider" not in asked else [])]


def report_providers(settings: Settings, session: Session) -> None:
    """A session falls back to the CPU without a word; say so, or refuse."""
    missing = [name for name in named(settings) if name not in session.providers]
    if not missing:
        return
    text = f"`{session.name}` does not run on {', '.join(missing)}"
    if settings.strict:
        raise RequestError(text, "install the onnxruntime wheel for it, or leave `strict` out")
    warnings.warn(f"{text}; it runs on {', '.join(session.providers)}", stacklevel=2)


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
