"""What a game pays for a move, as a function that has gradients: moves are words of a lexicon, or mixtures of words.

Shapes, for moves of m words out of a lexicon of A, in a model of width w, places counted from 0:

    state      m numbers     a move: which word stands in each place
    mixture    (m, A)        how much of each word stands in each place; a state's is ones and zeros
    vectors    (m, w)        what the model reads in each place: mixture · table

The gradients' sums are in float32 whatever the judge's dtype, for small changes of a large sum count. Whoever calls
needs no PyTorch for states, values and words.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import torch
from torch import Tensor

from judge.differentiable import Differentiable
from judge.errors import JudgeError
from judge.judge import Judge, Pair
from judge.lexicon import Lexicon

State = tuple[int, ...]


class OutOfTokens(Exception):
    """As much has been read as may be read; nothing was read for this."""


@dataclass(frozen=True, slots=True)
class Stake:
    """A text that stands behind head + move + tail. weight: what is paid for each bit that it costs there."""

    weight: float
    head: str
    tail: str
    text: str


@dataclass(frozen=True, slots=True)
class _Slots:
    """A stake as the model reads it. first, inner: (A, w), what stands for each word in the first place and behind."""

    stake: Stake
    head: Tensor
    tail: Tensor
    first: Tensor
    inner: Tensor


class Relaxed:
    """read: tokens that the judge has read for it so far, prefixes included, BOS not. A pass forward and back reads
    each twice: the weights take no gradients, so that the way back costs about what the way there does. most: once so
    many have been read, whatever would read more raises OutOfTokens; None: there is no end."""

    most: int | None = None

    def __init__(self, judge: Judge, stakes: Sequence[Stake], lexicon: Lexicon, paid: float = 0.0) -> None:
        """paid: what is paid in any case, in bits. Raises JudgeError where there is nothing to look for."""
        if not stakes:
            raise JudgeError("there is no text that stands behind the move, so there are no gradients to follow")
        if not lexicon.spelled:
            raise JudgeError(f"{judge.name} has no word that is one token: its tokenizer is of another kind")
        self.read = 0
        self.lexicon, self.paid = lexicon, paid
        self._judge = judge
        self._soft: Differentiable = judge.differentiable()
        self._soft.model.float()
        heads = [lexicon.first(stake.head) for stake in stakes]
        #: which words may stand in the first place: those that are one token there
        self.leads = [all(each is not None for each in found) for found in zip(*heads, strict=True)]
        inner = self._vectors(list(lexicon.inner))
        self._slots = [
            self._placed(stake, self._vectors([token or 0 for token in head]), inner)
            for stake, head in zip(stakes, heads, strict=True)
        ]

    @property
    def device(self) -> torch.device:
        return self._slots[0].inner.device

    def spell(self, state: State) -> str:
        """The move."""
        return " ".join(self.lexicon.spelled[index] for index in state)

    def values(self, states: Sequence[State]) -> list[float]:
        """What each is paid by the judge's own measurement, in bits: the game's own reward but for its rounding."""
        return self.paid_for([self.spell(state) for state in states])

    def paid_for(self, moves: Sequence[str]) -> list[float]:
        """The same for moves of any words."""
        tokens, found = self._judge.tokens, [self.paid] * len(moves)
        for stake in (slots.stake for slots in self._slots):
            self._require_tokens()
            pairs = [Pair(f"{stake.head}{move}{stake.tail}", stake.text) for move in moves]
            self.read += sum(tokens.count(pair.prefix) + tokens.count(pair.text) for pair in pairs)
            bits = self._judge.measure(pairs)
            found = [value + stake.weight * sum(each) for value, each in zip(found, bits, strict=True)]
        return found

    def mixture(self, state: State) -> Tensor:
        """Ones and zeros: (m, A)."""
        found = torch.zeros(len(state), len(self.lexicon.spelled), device=self.device)
        found[torch.arange(len(state)), torch.tensor(state)] = 1
        return found

    def value(self, mixture: Tensor) -> Tensor:
        """What is paid for a mixture: a scalar, in bits, to be differentiated once."""
        return self._value([_mixed(slots, mixture) for slots in self._slots])

    def value_of_vectors(self, vectors: Tensor) -> Tensor:
        """The same for vectors that stand in the places of words, whatever words they are near to."""
        return self._value([vectors for _ in self._slots])

    def vectors(self, state: State) -> Tensor:
        """What the model reads for a move: (m, w)."""
        return _mixed(self._slots[0], self.mixture(state)).detach()

    def nearest(self, vectors: Tensor, banned: Set[int] = frozenset()) -> State:
        """The words whose vectors are nearest: (m, w) to a state, in which none of the banned stands."""
        first, inner = self._slots[0].first, self._slots[0].inner
        lead = torch.cdist(vectors[:1], first).masked_fill(~self.lead_mask, torch.inf)
        distances = torch.cat([lead, torch.cdist(vectors[1:], inner)])
        distances[:, sorted(banned)] = torch.inf
        return tuple(distances.argmin(dim=1).tolist())

    @property
    def spread(self) -> float:
        """How far from their mean the words' vectors usually are."""
        inner = self._slots[0].inner
        return float((inner - inner.mean(dim=0)).norm(dim=1).median())

    @property
    def lead_mask(self) -> Tensor:
        """(A,): `leads` as a tensor."""
        return torch.tensor(self.leads, device=self.device)

    def gradient(self, state: State) -> Tensor:
        """What one more bit of each word in each place would pay, to first order: (m, A)."""
        mixture = self.mixture(state).requires_grad_(True)
        (found,) = torch.autograd.grad(self.value(mixture), mixture)
        return found

    def _value(self, vectors: Sequence[Tensor]) -> Tensor:
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # said every time: others may set it, and sums hang on it
        found = torch.tensor(self.paid, device=self.device)
        for slots, middle in zip(self._slots, vectors, strict=True):
            self._require_tokens()
            prefix = torch.cat([slots.head, middle, slots.tail])
            bits = self._soft.bits(prefix, slots.stake.text)
            self.read += 2 * (len(prefix) + len(bits))
            found = found + slots.stake.weight * bits.sum()
        return found

    def _require_tokens(self) -> None:
        if self.most is not None and self.read >= self.most:
            raise OutOfTokens

    def _placed(self, stake: Stake, first: Tensor, inner: Tensor) -> _Slots:
        """Where in a prefix words stand, found by two that are put there."""
        tokens = self._judge.tokens
        lead = self.leads.index(True) if True in self.leads else 0
        move = self.spell((lead, 0))
        text = f"{stake.head}{move}{stake.tail}"
        ids, ends = tokens.ids(text), tokens.ends(text)
        begin = sum(end <= len(stake.head) for end in ends)
        end = sum(end <= len(stake.head) + len(move) for end in ends)
        if end - begin != 2:
            raise JudgeError(f"{self._judge.name} does not read {move!r} as two tokens behind {stake.head!r}")
        return _Slots(stake, self._vectors(ids[:begin]), self._vectors(ids[end:]), first, inner)

    def _vectors(self, ids: list[int]) -> Tensor:
        return self._soft.table[ids].detach()


def _mixed(slots: _Slots, mixture: Tensor) -> Tensor:
    return torch.cat([mixture[:1] @ slots.first, mixture[1:] @ slots.inner])
