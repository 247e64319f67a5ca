"""A tokenizer.json, loaded when the first text is read: serving ids needs no tokenizer package."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from legoc_runtime.errors import BundleError, RequestError


class Words:
    """The ids of texts by what a `tokenizers` file holds; `name` is the file's, for messages."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content

    @cached_property
    def tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise RequestError(
                "reading raw text needs the package tokenizers, which is not installed",
                'install it with `pip install "legoc-runtime[text]"`',
            ) from error
        try:
            tokenizer = Tokenizer.from_buffer(self.content)
        except Exception as error:  # the package raises a bare Exception for a bad file
            raise BundleError(
                f"`{self.name}` is not a tokenizer ({error})", "export the bundle again"
            ) from error
        # Lengths are those of the reading; what the file says of them would cut or fill twice.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, without special tokens; an empty text has none."""
        encoded = self.tokenizer.encode_batch_fast(
            [whole(text) for text in texts], add_special_tokens=False
        )
        return [encoding.ids for encoding in encoded]

    def spell(self, ids: Sequence[int]) -> list[str]:
        """Each id as the tokenizer writes it."""
        return [str(self.tokenizer.id_to_token(int(one))) for one in ids]


def whole(text: str) -> str:
    """The text with halves of characters, which JSON holds and UTF-8 cannot, joined or replaced."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
