"""The judge's tokenizer alone: where each token of a text ends, its ids and its spelling.

Reads `tokenizer.json` with the `tokenizers` library and needs neither torch nor transformers, so that a
process without a model can count, cut and show tokens exactly as the judge will see them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from judge.errors import JudgeError

# A character that will never be one. What begins with it cannot be spelled: in texts another stands in its place.
HIDDEN = "\U0010ffff"


class Tokens:
    """A tokenizer that treats every text as plain text. Safe to use from many threads at once.

    A special token spelled out in a text (a player types `<|endoftext|>`) is a run of ordinary characters here, never
    the special token, whatever kind of tokenizer it is: otherwise a move could end the document for the judge. (The
    token for what is unknown is there where the vocabulary lacks a character, never where somebody spells its name.)

    For all other texts the ids are those that `tokenizer.json` alone gives, as a `PreTrainedTokenizerFast` made from
    that file does. Some classes of transformers put rules of their own in the file's place: `LlamaTokenizer` takes one
    space away from the beginning of a text, `GPT2Tokenizer` puts one there where `tokenizer_config.json` says
    `add_prefix_space`. A judge does neither, so that a process that has only this file counts as the judge does.
    """

    def __init__(self, tokenizer: Tokenizer, hidden: dict[str, str], unknown: str | None) -> None:
        """`hidden`: special tokens, and what they are called in `tokenizer`. `unknown`: the name of the token there
        that stands for what the vocabulary lacks."""
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._hidden = hidden
        self._shown = {secret: name for name, secret in hidden.items()}
        self._anchor = self.ids("a")
        self._anchored = self.text(self._anchor)
        known: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
        spoken = set(known.values()) - {known[name] for name in hidden.values()}
        #: one more than the greatest id
        self.size: int = max(known.values(), default=-1) + 1
        #: the ids below `size` that no text spells
        self.special = frozenset(range(self.size)) - spoken
        #: one more than the greatest id that a text can hold
        self.reach: int = max(*spoken, known.get(unknown or "", -1), -1) + 1

    @classmethod
    def from_folder(cls, path: str | Path) -> Tokens:
        """Read `tokenizer.json` in a folder. Raises JudgeError where there is none or it cannot be read."""
        return cls.from_json(read_tokenizer(Path(path)))

    @classmethod
    def from_json(cls, text: str) -> Tokens:
        """Build from the content of a `tokenizer.json`. Raises JudgeError where it is none."""
        # One text at a time is too little work to share out, and a fork after Rust threads started warns.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            plain, hidden = _plain(json.loads(text))
            return cls(Tokenizer.from_str(json.dumps(plain)), hidden, _unknown(plain["model"]))
        except Exception as error:  # the library raises bare Exception
            raise JudgeError(f"tokenizer.json cannot be read: {error}") from error

    def ids(self, text: str) -> list[int]:
        """The ids of a text, no special token added or recognised."""
        ids: list[int] = self._encoded(text).ids
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
        starts = [start for start, _ in self._encoded(text).offsets]
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

    def spelling(self, token: int) -> str:
        """What a token adds to a text, a space before it included; U+FFFD where it spells half a character. Its name
        where no text can hold it, and "" where the vocabulary is padded and it has none."""
        if token in self.special or token >= self.size:
            name = self._tokenizer.id_to_token(token) or ""
            return self._shown.get(name, name)
        # A decoder may take a space away from the beginning of a text, so it stands after another.
        return self.text([*self._anchor, token])[len(self._anchored) :]

    def id_of(self, token: str) -> int | None:
        """The id of a token of the vocabulary by its exact name, or None."""
        found: int | None = self._tokenizer.token_to_id(self._hidden.get(token, token))
        return found

    def _encoded(self, text: str) -> Encoding:
        shown = checked(text).replace(HIDDEN, "\ufffd")
        try:
            return self._tokenizer.encode(shown, add_special_tokens=False)
        except TypeError as error:  # the library's word for a lone surrogate
            raise JudgeError("the text holds half of a surrogate pair, which no file can: leave it out") from error


def checked(text: str) -> str:
    """The text, where it is one: what comes from a data frame may be a number. Raises JudgeError."""
    if not isinstance(text, str):
        raise JudgeError(f"a judge reads text (str), not {type(text).__name__}: {text!r:.60}")
    return text


def read_tokenizer(folder: Path) -> str:
    """The content of `tokenizer.json` in a folder. Raises JudgeError where there is none."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise JudgeError(
            f"{folder} has no tokenizer.json: save the judge's tokenizer there "
            "(AutoTokenizer.from_pretrained(…).save_pretrained(folder))"
        )
    return file.read_text(encoding="utf-8")


def with_special_tokens(text: str, names: Sequence[str]) -> str:
    """A `tokenizer.json` in which those of its tokens are special that go by these names, as they are in transformers.

    Names of one character are left alone: without it texts that have the character could not be told. Raises JudgeError
    where it cannot be read.
    """
    tokens = Tokens.from_json(text)
    ids = {name: tokens.id_of(name) for name in names if len(name.strip()) > 1}
    tokenizer = json.loads(text)
    added = {token["content"]: token for token in tokenizer["added_tokens"]}
    plain = [name for name, known in ids.items() if known is not None and not added.get(name, {}).get("special")]
    for name in plain:
        ways = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        added[name] = {"id": ids[name], "content": name, **ways, **added.get(name, {}), "special": True}
    return json.dumps({**tokenizer, "added_tokens": [*added.values()]}) if plain else text


def _plain(tokenizer: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The same tokenizer less what would add, cut, pad, trim offsets or draw at random, its special tokens under names
    that no text can spell; and these names.

    The library lets special tokens in a text pass as plain text, but its models do not: one that has `</s>` among its
    pieces finds it there.
    """
    hidden = {token["content"]: f"{HIDDEN}{token['id']}" for token in tokenizer["added_tokens"] if token["special"]}
    added = [
        {**token, "content": hidden.get(token["content"], token["content"])} for token in tokenizer["added_tokens"]
    ]
    cut = {"post_processor": None, "truncation": None, "padding": None}
    return {**tokenizer, **cut, "added_tokens": added, "model": _hiding(tokenizer["model"], hidden)}, hidden


def _unknown(model: dict[str, Any]) -> str | None:
    name = model["vocab"][model["unk_id"]][0] if model.get("unk_id") is not None else model.get("unk_token")
    return None if name is None else str(name)


def _hiding(model: dict[str, Any], hidden: dict[str, str]) -> dict[str, Any]:
    """The same model with pieces renamed, and without the merges that lead to them."""
    found = {**model, "dropout": None} if "dropout" in model else dict(model)
    if isinstance(model["vocab"], list):  # Unigram: pieces with scores
        found["vocab"] = [[hidden.get(piece, piece), score] for piece, score in model["vocab"]]
    else:
        found["vocab"] = {hidden.get(piece, piece): index for piece, index in model["vocab"].items()}
    if model.get("unk_token") is not None:
        found["unk_token"] = hidden.get(model["unk_token"], model["unk_token"])
    if "merges" in model:
        skipped = len(model.get("continuing_subword_prefix") or "")
        pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
        found["merges"] = [[a, b] for a, b in pairs if hidden.keys().isdisjoint((a, b, a + b[skipped:]))]
    return found
