"""The language model of a spec, before any data is read: there, whole and fit to read items."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.data.reading.checkpoint import checkpoint_digest, obtain_folder, verify_folder
from legoc.data.reading.model_tokens import ModelReading, plan_reading
from legoc.data.reading.own_tokenizer import load_tokenizer
from legoc.data.reading.prompts import find_answers, is_joined
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import Named, reading_model
from legoc.language.ir.spec import Call, Spec
from legoc.progress import Progress


def verify_supported(spec: Spec) -> None:
    """Refuse what no code reads yet, instead of ignoring it."""
    flatten, content = spec.model.get("flatten"), spec.model.get("content")
    declaration = None if flatten is None else catalog().get("flatten", flatten.op)
    alone = declaration is not None and declaration.pretrained
    if alone and content is not None:
        raise fail(
            "E0624",
            f"the language model `flatten {flatten.op}` reads the items too, and follows no "
            f"`content {content.op}`",
            f"leave `content {content.op}` out",
        )
    found = reading_model(spec)
    if found is None:
        return
    call, _ = found
    if flatten is not None and not alone:
        raise fail(
            "E0624",
            f"`flatten {flatten.op}` after the language model `{call.op}` is not supported by this "
            "version: the two would read different tokens",
            "leave flatten out, or write a word-level content",
        )
    if spec.data.vectors is not None:
        raise fail(
            "E0641",
            f"`vectors` are of words, and the language model `{call.op}` has an embedding of its "
            "own tokens",
            "leave `vectors` out, or write a word-level content, such as `content CNN`",
        )


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """The language model of a spec: its whole folder, the digest of that, and how it reads."""

    folder: Path
    digest: str
    reading: ModelReading


def read_spec(spec: Spec, call: Call, named: Named, folder: Path) -> ModelReading:
    """How the language model of a spec reads, as content or as what reads whole histories."""
    joined = is_joined(spec) if "content" not in spec.model else None
    return plan_reading(spec.data, call, named, folder, joined=joined)


def read_asked(
    spec: Spec, call: Call, named: Named, folder: Path
) -> tuple[Mapping[str, Any], tuple[int, ...], Any]:
    """The prompt of a spec whose language model reads whole histories, the ids of the words that
    answer it, none where vectors are compared, and the tokenizer of both. Raises as `plan_reading`,
    and E0637."""
    planned = read_spec(spec, call, named, folder)
    prompt = planned.value["prompt"]
    tokenizer = load_tokenizer(planned.tokenizer, own=spec.data.tokenizer is None)
    answers = find_answers(spec.model["predict"], named, tokenizer) if is_joined(spec) else ()
    return prompt, answers, tokenizer


def open_model(spec: Spec, root: Path, progress: Progress) -> LanguageModel | None:
    """The language model of a content stage, there, whole and fit to read; None without one."""
    found = reading_model(spec)
    if found is None:
        return None
    call, named = found
    folder = obtain_folder(named, progress)
    verify_folder(folder, tokenizer=spec.data.tokenizer is None)
    reading = read_spec(spec, call, named, folder)
    return LanguageModel(folder=folder, digest=checkpoint_digest(folder, root), reading=reading)
