"""Language models of the Hugging Face hub: its download folder, and fetching what is not there.

The hub's library is silent here: what it has to say becomes one message.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.progress import SILENT, Progress


# Other files of a model are weights of other libraries, other number types, or pictures.
WANTED = (
    "config.json", "model.safetensors", "model.safetensors.index.json",
    "model-*-of-*.safetensors", "tokenizer.json", "tokenizer_config.json",
    "chat_template.jinja",
)  # fmt: skip

# Seconds for the first answer: who has no network must not wait for long.
PATIENCE = 10.0


def find_download(name: str) -> Path | None:
    """The folder of the hub's local cache that holds a model, as far as it was ever fetched; None
    where nothing is there."""
    from huggingface_hub import snapshot_download

    try:
        with silenced():
            return Path(snapshot_download(name, local_files_only=True, allow_patterns=[*WANTED]))
    # The library has many errors for a name it does not like or does not find.
    except (OSError, ValueError):
        return None


def download(name: str, progress: Progress = SILENT) -> Path:
    """Fetch a model into the hub's local cache. Raises E0650 with the reason where it cannot, E0651
    where the hub has no safetensors of it."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        with silenced():
            found = HfApi().model_info(name, timeout=PATIENCE)
            files = [file.rfilename for file in found.siblings or ()]
            if not any(file.startswith("model") and "safetensors" in file for file in files):
                raise without_safetensors(name)
            progress.say(f"fetching the language model {name} from the hub, once")
            return Path(snapshot_download(name, revision=found.sha, allow_patterns=[*WANTED]))
    except LegoError:
        raise
    # Network, disk and names fail in ways of several libraries, and none is a defect of ours.
    except Exception as error:
        raise unreachable(name, error) from None


def unreachable(name: str, error: Exception) -> LegoError:
    """Why a model of the hub cannot be had."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    reason = "the hub cannot be reached"
    if constants.HF_HUB_OFFLINE:
        reason = "HF_HUB_OFFLINE forbids to fetch it"
    elif isinstance(error, GatedRepoError):
        reason = "its licence must be accepted on the hub first, and `hf auth login` run"
    elif isinstance(error, RepositoryNotFoundError):
        reason = "the hub knows no such model, or hides it until `hf auth login`"
    elif isinstance(error, HFValidationError):
        reason = "that is no name of a model (`OWNER/NAME`)"
    elif getattr(error, "errno", None):
        reason = "fetching it broke off"
    said = str(error).strip().splitlines()
    return fail(
        "E0650",
        f"the language model `{name}` is not on this machine, and {reason}",
        'name a folder that holds it: path="FOLDER"',
        notes=said[:1],
    )


def without_safetensors(name: str) -> LegoError:
    return fail(
        "E0651",
        f"the hub has no `model.safetensors` of `{name}`, and weights of another form can run code",
        "convert it where you trust it: AutoModel.from_pretrained(NAME).save_pretrained(FOLDER), "
        'the same for AutoTokenizer, then path="FOLDER"',
    )


@contextmanager
def silenced() -> Iterator[None]:
    """Neither bars nor warnings of the hub's library, which are back as they were afterwards."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "httpx2")]
    levels = [logger.level for logger in loggers]
    drawn = not are_progress_bars_disabled()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        disable_progress_bars()
        try:
            yield
        finally:
            if drawn:
                enable_progress_bars()
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
