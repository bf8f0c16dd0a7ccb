"""The judge's tokenizer alone: where each token of a text ends, its ids and its spelling.

Reads `tokenizer.json` with the `tokenizers` library and needs neither torch nor transformers, so that a
process without a model can count, cut and show tokens exactly as the judge will see them.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

from tokenizers import Tokenizer

from judge.errors import JudgeError


class Tokens:
    """A tokenizer that treats every text as plain text. Safe to use from many threads at once.

    A special token spelled out in a text (a player types `<|endoftext|>`) is a run of ordinary characters
    here, never the special token: otherwise a move could end the document for the judge. For all other texts
    the ids are those of `AutoTokenizer(text, add_special_tokens=False)`.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        #: how many ids there are, added tokens included
        self.size: int = tokenizer.get_vocab_size(with_added_tokens=True)
        added = tokenizer.get_added_tokens_decoder()
        #: the ids that no text can hold
        self.special = frozenset(index for index, token in added.items() if token.special)

    @classmethod
    def from_folder(cls, path: str | Path) -> Tokens:
        """Read `tokenizer.json` in a folder. Raises JudgeError where there is none or it cannot be read."""
        file = Path(path) / "tokenizer.json"
        if not file.is_file():
            raise JudgeError(
                f"{path} has no tokenizer.json: save the judge's tokenizer there "
                "(AutoTokenizer.from_pretrained(…).save_pretrained(folder))"
            )
        return cls.from_json(file.read_text(encoding="utf-8"))

    @classmethod
    def from_json(cls, text: str) -> Tokens:
        """Build from the content of a `tokenizer.json`. Raises JudgeError where it is none."""
        # One text at a time is too little work to share out, and a fork after Rust threads started warns.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            return cls(Tokenizer.from_str(json.dumps(_plain(json.loads(text)))))
        except Exception as error:  # the library raises bare Exception
            raise JudgeError(f"tokenizer.json cannot be read: {error}") from error

    def ids(self, text: str) -> list[int]:
        """The ids of a text, no special token added or recognised."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self.ids(text))

    def ends(self, text: str) -> list[int]:
        """For each token, how many characters of `text` are complete after it. Never decreasing.

        A token that ends inside a character repeats the offset before that character; a leading token that
        covers no character has 0; the last token has `len(text)`. Characters that the tokenizer's normalizer
        drops or merges (a combining mark, stripped white space) go with the token before them.
        """
        starts = [start for start, _ in self._tokenizer.encode(text, add_special_tokens=False).offsets]
        if not starts:
            return []
        ends, complete = [], 0
        # A token ends where the next begins: the library's own ends count a character as soon as its first
        # byte is covered, and leave out what the normalizer merged into it.
        for start in [*starts[1:], len(text)]:
            complete = max(complete, start)
            ends.append(complete)
        return ends

    def spelled(self, text: str) -> list[str]:
        """The slice of `text` that each token completes. They concatenate to `text` if it has any token."""
        return [text[start:end] for start, end in pairwise([0, *self.ends(text)])]

    def text(self, ids: list[int]) -> str:
        """The text that ids spell, special tokens left out; U+FFFD where they spell half a character."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def id_of(self, token: str) -> int | None:
        """The id of a token of the vocabulary by its exact name, or None."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found


def _plain(tokenizer: dict[str, object]) -> dict[str, object]:
    """The same tokenizer less what would add, cut, pad, trim offsets or draw at random."""
    model = tokenizer.get("model")
    if isinstance(model, dict) and model.get("dropout") is not None:
        model = {**model, "dropout": None}
    return {**tokenizer, "model": model, "post_processor": None, "truncation": None, "padding": None}
