"""What a chat template puts around the words of somebody who asks, as ids: special tokens are real ones there, and the
words stay plain text whatever they spell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from transformers import AutoTokenizer

from judge.errors import JudgeError, one_line
from judge.loading.source import Source
from judge.loading.tokenizer import Tokens

_PLACE = "\ue000"  # of the words, while the template is written out


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """One question to a judge that was tuned for chats. before, after: the ids around its words; the answer follows."""

    tokens: Tokens
    before: list[int]
    after: list[int]

    @classmethod
    def of(cls, source: Source) -> ChatTemplate:
        """As the template in the judge's folder has it. Raises JudgeError where there is none that can be used."""
        try:
            tokenizer = AutoTokenizer.from_pretrained(source.folder, local_files_only=True, trust_remote_code=False)
            said = [{"role": "user", "content": _PLACE}]
            written = str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # none, or one that fails in a way of its own
            raise JudgeError(f"{source.name} has no chat template that can be used: {one_line(error)}") from error
        before, place, after = written.partition(_PLACE)
        if not place or _PLACE in after:
            raise JudgeError(f"the chat template of {source.name} does not repeat once what was said")
        return cls(source.tokens, list(_ids(source.tokens, before)), list(_ids(source.tokens, after)))

    def ids(self, words: str) -> list[int]:
        """All that stands before the answer."""
        return [*self.before, *self.tokens.ids(words), *self.after]


def _ids(tokens: Tokens, text: str) -> Iterator[int]:
    """The ids of a template's own text, in which the names of special tokens stand for them."""
    special = {tokens.spelling(token): token for token in tokens.special}
    names = "|".join(re.escape(name) for name in sorted(filter(None, special), key=len, reverse=True))
    for part in re.split(f"({names})", text) if names else [text]:
        if part in special:
            yield special[part]
        elif part:
            yield from tokens.ids(part)
