"""Texts that a judge writes for games, and for whoever wants no more than the text, the same every time.

Every step is one forward over all ids so far, at a shape of its own length, on one thread: no cache, so a text
takes the square of its length, but its probabilities are those that the measure has, and the same seed gives the
same text on the same build whatever else runs. Texts that games generate are short and made once per round.

Special tokens are never drawn: a text cannot spell them. A backward judge writes from right to left: what it
adds stands before the prompt.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from judge.cuts import choose, speakable
from judge.judge import Judge
from judge.methods import GREEDY, Beam, Sampling
from judge.samples import text_of

# What games have a judge write: its own distribution, so that the text is what it finds plausible, less its tail of
# tokens that are hardly ever right, one of which leads a small model astray (Holtzman et al. 2020).
PLAUSIBLE = Sampling(temperature=1.0, top_p=0.95)


def write(judge: Judge, prompt: str, tokens: int, seed: str) -> str:
    """The text that a game's `generate…` is worth. The same judge, prompt, tokens and seed give the same text on the
    same build, in a worker as offline. Raises as `generate` does."""
    *_, text = "", *writing(judge, prompt, tokens, seed)
    return text


def writing(judge: Judge, prompt: str, tokens: int, seed: str) -> Iterator[str]:
    """The text of `write` as it grows, once after each token. Raises as `generate` does."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    return growing(judge, prompt, tokens, sampling=PLAUSIBLE, seed=number)


def generate(judge: Judge, prompt: str, tokens: int, *, sampling: Sampling = GREEDY, seed: int = 0) -> str:
    """`tokens` tokens after `prompt` (before it, for a backward judge), as text without the prompt.

    Raises TooLong where prompt and text do not fit the context, JudgeError for a judge without BOS.
    """
    *_, text = "", *growing(judge, prompt, tokens, sampling=sampling, seed=seed)
    return text


def growing(judge: Judge, prompt: str, tokens: int, *, sampling: Sampling = GREEDY, seed: int = 0) -> Iterator[str]:
    """The text of `generate` as it grows, once after each token. Raises as `generate` does."""
    ids = judge.begin(prompt, tokens, before="prompt")
    start = len(ids)
    draw = random.Random(seed)  # noqa: S311 (for texts, not for secrets)
    for _ in range(tokens):
        (logits,) = judge.next_logits([ids])
        ids = [*ids, choose(speakable(judge.tokens, logits), sampling, draw.random())]
        yield text_of(judge.tokens, judge.direction, ids[start:])


def beam_search(judge: Judge, prompt: str, tokens: int, *, beams: int = 4) -> str:
    """The likeliest text of `tokens` tokens that keeping the `beams` likeliest beginnings finds.

    Equal likelihoods go to the smaller ids. Raises as `generate` does, and ValueError for no beams or too many.
    """
    return judge.sample(prompt, Beam(beams), tokens=tokens, top=0).text
