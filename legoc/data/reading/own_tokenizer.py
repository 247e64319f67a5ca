"""The tokenizer that a language model was published with."""

import json
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail


# Where a reading has the model's tokenizer.
PLACE = "tokenizers/model/tokenizer.json"


def load_tokenizer(path: Path, *, own: bool) -> Any:
    """The tokenizer of a file, whose padding and truncation are off. own: it is the model's."""
    from legoc.data.reading.vocabulary import TokenizerFile

    try:
        tokenizer = TokenizerFile(TokenizerFile.Config(path=str(path))).read()
    except LegoError as error:
        if not own:
            raise
        raise fail(
            "E0651",
            f"`{path}` is not a tokenizer.json of the library `tokenizers`",
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes it again",
            notes=error.diagnostics[0].notes,
        ) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def find_unknown(path: Path, tokenizer: Any) -> int:
    """The id of words the tokenizer does not know; 0 where it knows all."""
    model = json.loads(path.read_text(encoding="utf-8")).get("model", {})
    place = model.get("unk_id")
    if place is None and model.get("unk_token") is not None:
        place = tokenizer.token_to_id(model["unk_token"])
    return 0 if place is None else int(place)
