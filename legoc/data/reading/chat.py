"""The chat template of a language model: what stands before and behind a user's message."""

from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import Named


# A message that no template changes, to find its place in what it makes.
MARK = "@legoc@"


def frame_chat(folder: Path, named: Named) -> tuple[str, str]:
    """The texts that a model's chat template puts before and behind what a user says, up to where
    its answer begins. Raises E0638 where the model has no template, or one that changes what is
    said."""
    template: Any = read_template(folder)
    if not template:
        raise fail(
            "E0638",
            f"`{named.shown}` has no chat template, and `chat_template` asks for it",
            "leave `chat_template` out, or name an instruct model",
        )
    try:
        made = render(folder, template)
    # Templates are programs: they fail in as many ways as programs do.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise broken(named, lines[0][:200]) from None
    before, found, behind = made.partition(MARK)
    if not found:
        raise broken(named, "it does not hold what the user says")
    return before, behind


def read_template(folder: Path) -> str | None:
    """The template of a folder, as its own file or within `tokenizer_config.json`."""
    import json

    own = folder / "chat_template.jinja"
    if own.is_file():
        return own.read_text(encoding="utf-8")
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = settings.get("chat_template") if isinstance(settings, dict) else None
    if isinstance(found, list):
        found = next((one["template"] for one in found if one.get("name") == "default"), None)
    return found if isinstance(found, str) else None


def render(folder: Path, template: str) -> str:
    """What the template makes of one message of a user, in the library's own sandbox."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": MARK}], chat_template=template, tokenize=False,
        add_generation_prompt=True,
    )  # fmt: skip


def broken(named: Named, why: str) -> Exception:
    return fail(
        "E0638",
        f"the chat template of `{named.shown}` cannot be used: {why}",
        "leave `chat_template` out",
    )
