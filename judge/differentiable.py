"""A judge's model for gradients: what a text costs after a prefix of vectors, as a function of these vectors.

Shapes, for a prefix of m vectors and a text of n tokens, over a vocabulary of V, of width w:

    table        (V, w)   what the model reads for each token
    embeddings   (n, w)   the same for a text, in reading order
    bits         (n,)     −log₂ P of each token after BOS, the prefix and the tokens before it, in reading order
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from judge.errors import JudgeError, TooLong
from judge.loading.tokenizer import Tokens


class Differentiable:
    """The model as transformers has it, with weights of its own, so that whatever is done to it leaves the judge as it
    is. Its weights take no gradients until `model.requires_grad_(True)`; its sums are in its own dtype.

    What it says agrees with the judge's measurements as two ways of computing agree, not to the last bit.
    """

    def __init__(self, model: Any, tokens: Tokens, *, bos: int, direction: str, context: int) -> None:
        self.model, self.tokens, self.bos, self.direction, self.context = model, tokens, bos, direction, context

    @property
    def table(self) -> Tensor:
        """What the model reads for each token of its vocabulary."""
        count = self.model.get_input_embeddings().num_embeddings
        return self._embedded(list(range(count)))

    def embeddings(self, text: str) -> Tensor:
        """What the model reads for the tokens of a text, in reading order."""
        return self._embedded(self.tokens.ids(text))

    def bits(self, prefix: Tensor, text: str) -> Tensor:
        """What each token of `text` costs after `prefix`, vectors (m, w) in reading order; differentiable in prefix and
        weights. Raises JudgeError for a prefix of another shape or an empty text, TooLong beyond the context."""
        ids = self.tokens.ids(text)
        table = self.model.get_input_embeddings()
        if not isinstance(prefix, Tensor):
            raise JudgeError(f"a prefix is vectors, such as embeddings({prefix!r:.60}) gives, not the text")
        if prefix.dim() != 2 or prefix.shape[1] != table.embedding_dim:
            raise JudgeError(f"a prefix is vectors (m, {table.embedding_dim}), not {tuple(prefix.shape)}")
        if not ids:
            raise JudgeError("an empty text has no token to read: give it at least one character")
        if 1 + len(prefix) + len(ids) > self.context:
            raise TooLong(bos=1, prefix=len(prefix), text=len(ids), context=self.context)
        backward = self.direction == "backward"
        read, before = (ids[::-1], prefix.flip(0)) if backward else (ids, prefix)
        row = torch.cat([self._embedded([self.bos]), before, self._embedded(read)])
        logits = self.model(inputs_embeds=row[None, :-1], use_cache=False).logits[0, -len(read) :]
        targets = torch.tensor(read, device=logits.device)
        nats = torch.nn.functional.cross_entropy(logits.to(row.dtype), targets, reduction="none")
        found = nats / math.log(2)
        return found.flip(0) if backward else found

    def cross_entropy(self, prefix: Tensor, text: str) -> Tensor:
        """The bits of `text` after `prefix` in all: a scalar. Raises as `bits` does."""
        return self.bits(prefix, text).sum()

    def _embedded(self, ids: list[int]) -> Tensor:
        table = self.model.get_input_embeddings()
        found: Tensor = table(torch.tensor(ids, dtype=torch.long, device=table.weight.device))
        return found
