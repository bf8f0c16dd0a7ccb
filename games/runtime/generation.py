"""What a judge writes while a round is made, and what a program gets of it.

The host's loop, once for each round::

    while (need := needed(program.generations, setup)) is not None:
        setup = replace(setup, generated=(*setup.generated, judge.write(need.prompt, need.tokens, need.seed)))

A judge only ever continues a prompt; masking and cutting are pure and done here, from the same seed every time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from games.protocol import MAIN, Ends, NeedText, Setup
from games.runtime.rng import draw
from games.values.text import Text, Texts

#: The most tokens of an item of ``generate_list``, which also ends where its first line ends.
ITEM_TOKENS = 40
#: The most tokens of a text that is masked, or whose next tokens are the answer.
PASSAGE_TOKENS = 128
MASK = "[masked passage]"


@dataclass(frozen=True, slots=True)
class Generation:
    """A ``generate…`` of the program. prompt: a literal, or the number of a passage."""

    function: str
    prompt: str | int
    number: int


def requests(generations: Sequence[Generation], setup: Setup) -> Iterator[NeedText]:
    """Every text that the judge has to write, in the order in which ``Setup.generated`` holds them."""
    for index, generation in enumerate(generations):
        prompt = generation.prompt if isinstance(generation.prompt, str) else setup.passages[generation.prompt]
        for item in range(_count(generation)):
            yield NeedText(prompt, _tokens(generation), f"{setup.seed}\ngenerate\n{index}\n{item}")


def needed(generations: Sequence[Generation], setup: Setup) -> NeedText | None:
    """The next text that the judge has to write for the round; None where all are written."""
    return next(islice(requests(generations, setup), len(setup.generated), None), None)


def _count(generation: Generation) -> int:
    return generation.number if generation.function == "generate_list" else 1


def _tokens(generation: Generation) -> int:
    match generation.function:
        case "generate":
            return generation.number
        case "generate_list":
            return ITEM_TOKENS
        case "generate_list_next_token":
            return PASSAGE_TOKENS + generation.number
        case _:
            return PASSAGE_TOKENS


def written_tokens(generation: Generation) -> int:
    """The most tokens that the judge writes for it."""
    return _count(generation) * _tokens(generation)


def values(generations: Sequence[Generation], setup: Setup) -> Sequence[Text | Texts]:
    """What each ``generate…`` of the program is worth in this round. The setup's texts are all there."""
    return _values(tuple(generations), setup.generated, setup.seed, setup.judges[MAIN].ends)


@lru_cache(maxsize=16)
def _values(
    generations: Sequence[Generation], generated: tuple[str, ...], seed: str, ends: Ends
) -> Sequence[Text | Texts]:
    # Every replay wants them, and to find where a text's last tokens begin takes reading its end many times.
    written = iter(generated)
    result: list[Text | Texts] = []
    for index, generation in enumerate(generations):
        texts = [next(written) for _ in range(_count(generation))]
        match generation.function:
            case "generate":
                result.append(Text(texts[0]))
            case "generate_list":
                result.append(tuple(Text(_first_line(text)) for text in texts))
            case "generate_masked":
                masked = mask(texts[0], generation.number, f"{seed}\nmask\n{index}")
                result.append((Text(texts[0]), Text(masked)))
            case _:
                result.append(_prefix_and_next(texts[0], generation.number, ends))
    return tuple(result)


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0].strip() if lines else ""


def _prefix_and_next(text: str, count: int, ends: Ends) -> Texts:
    """The text without its end, and its end: the shortest that, read by itself, is `count` tokens, and where there is
    none the last `count` tokens."""
    starts = [0, *ends(text)[:-1]]
    last = starts[-count] if count < len(starts) else 0
    cut = next((at for at in reversed(starts) if len(ends(text[at:])) == count), last)
    return Text(text[:cut]), Text(text[cut:])


def mask(text: str, spans: int, seed: str) -> str:
    """The text with ``spans`` stretches of words replaced by the mask: one in each of ``spans`` equal parts of the
    text, half as long as the part, at a location drawn from the seed. A text of fewer words has fewer spans."""
    words = text.split(" ")
    spans = min(spans, len(words))
    result: list[str] = []
    for part in range(spans):
        start, end = len(words) * part // spans, len(words) * (part + 1) // spans
        length = max(1, (end - start) // 2)
        first = start + draw(seed, part, end - start - length + 1)
        result += [*words[start:first], MASK, *words[first + length : end]]
    return " ".join(result)
