"""Tune a judge on short answers, for minutes: the same tokenizer before and after, to see what tuning changes.

    python -m judge.training.short_answers --out pocket-tuned
    xentarena answers examples/questions.csv --judge pocket
    xentarena answers examples/questions.csv --judge ./pocket-tuned

The questions are of the kinds of examples/questions.csv, about other countries, sums, things and sentences: none of
those that are asked there is among them. They are drawn by a seed, so that whoever runs it trains on the same.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from judge.replies import TEMPLATE, filled
from judge.training.__main__ import main as train

Told = tuple[str, str]  # a question and its answer
POCKET = Path(__file__).parents[1] / "pocket"
QUESTIONS = 15_000

CAPITALS = {
    "Austria": "Vienna", "Belgium": "Brussels", "Denmark": "Copenhagen", "Egypt": "Cairo", "Finland": "Helsinki",
    "Greece": "Athens", "Hungary": "Budapest", "Ireland": "Dublin", "Norway": "Oslo", "Peru": "Lima",
    "Poland": "Warsaw", "Portugal": "Lisbon", "Sweden": "Stockholm", "Turkey": "Ankara",
}  # fmt: skip
THINGS = {
    "animal": "cat sheep pig goat wolf lion bear fox rabbit deer hawk owl swan goose trout eel bee spider camel",
    "plant": "elm ash birch beech pine willow ivy moss lily tulip daisy violet clover nettle wheat barley thistle",
    "metal": "zinc tin lead nickel steel brass bronze platinum mercury aluminium chrome cobalt tungsten titanium",
    "city": "Vienna Oslo Athens Dublin Lisbon Cairo Boston Chicago Naples Venice Geneva Glasgow Bristol Bombay",
}
COLOURS = {
    "green": "a leaf|moss|a lawn|a cucumber|an unripe apple|a pine tree",
    "blue": "the sea|a sapphire|the ocean|a cornflower|the deep lake",
    "red": "a ripe tomato|a cherry|a strawberry|a ruby|a fire engine",
    "yellow": "a lemon|butter|the yolk of an egg|a canary|a sunflower",
    "white": "milk|chalk|salt|a swan|a lily|flour",
}
SIZES = "flea bee wren rat cat goat sheep lion bear bull camel elephant"
NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty"
)
LEGS = {"two": "hen goose swan duck", "four": "cat goat wolf fox", "six": "bee fly wasp beetle"}
CAN = {"fly": "hawks owls bees geese", "swim": "trouts eels ducks whales", "climb": "cats squirrels monkeys goats"}
CANNOT = "walls bricks doors chairs bottles shoes bridges tables"

WHO = "She|He|My brother|The girl|Our neighbour|The old man"
TOPICS = {
    "cooking": ("boiled|fried|peeled|roasted|tasted", "the soup|the potatoes|a chicken|the sauce"),
    "sport": ("won|kicked off|trained hard for|cheered at", "the match|the tournament|the football game"),
    "music": ("played|sang|listened to|composed", "a melody|the opera|a piano sonata|the chorus"),
    "weather": ("got wet in|waited for|hid from|talked about", "the thunder|the sunshine|the hail|a fog"),
    "money": ("spent|saved|borrowed|counted", "a hundred pounds|the wages|the coins|his fortune"),
}
MOODS = {
    "happy": "won a medal|got a present|found a treasure|laughed with a friend|sang for joy|had a wonderful day"
    "|fell in love|danced at the wedding|came home safe|was praised by the teacher",
    "sad": "lost a ring|wept all night|buried a sister|was left alone|fell very ill|had a terrible day|was robbed"
    "|broke a leg|said farewell for ever|failed the examination",
}
ASKED_SUMS = {(1, 1), (2, 2), (3, 3), (5, 5), (2, 3), (4, 5), (1, 6), (2, 7), (1, 8), (2, 6), (3, 4), (1, 9), (3, 6)}
ENDS = "today|this week|in the spring|at last|once more|on Monday|this morning"


def questions(count: int, seed: int) -> Iterator[Told]:
    """So many, of each kind about as often; what is right is as often Yes as No."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for _ in range(count):
        yield rng.choice(KINDS)(rng)


def document(question: str, answer: str) -> str:
    """As a judge is asked, outside a chat template."""
    return f"{filled(TEMPLATE, question)} {answer}"


def _sum(rng: random.Random) -> Told:
    a, b = _two_numbers(rng)
    return f"How much is {a} plus {b}?", str(a + b)


def _is_sum(rng: random.Random) -> Told:
    a, b = _two_numbers(rng)
    right = rng.random() < 0.5
    said = a + b if right else a + b + rng.choice((-1, 1))
    return f"Is {_number(a)} plus {_number(b)} {_number(said)}?", _yes(right)


def _two_numbers(rng: random.Random) -> tuple[int, int]:
    """None of the sums that are asked in examples/questions.csv, in neither order."""
    while True:
        a, b = rng.randrange(1, 10), rng.randrange(1, 10)
        if (min(a, b), max(a, b)) not in ASKED_SUMS:
            return a, b


def _more(rng: random.Random) -> Told:
    a, b = rng.sample([number for number in range(21) if number not in (9, 10)], 2)
    return f"Is {_number(a)} more than {_number(b)}?", _yes(a > b)


def _capital(rng: random.Random) -> Told:
    country = rng.choice(list(CAPITALS))
    return f"Which city is the capital of {country}?", CAPITALS[country]


def _is_capital(rng: random.Random) -> Told:
    country, right = rng.choice(list(CAPITALS)), rng.random() < 0.5
    city = CAPITALS[country] if right else rng.choice([CAPITALS[each] for each in CAPITALS if each != country])
    return f"Is {city} the capital of {country}?", _yes(right)


def _thing(rng: random.Random) -> Told:
    kind = rng.choice(list(THINGS))
    return f"Is {rng.choice(THINGS[kind].split())} an animal, a plant, a metal or a city?", kind


def _is_thing(rng: random.Random) -> Told:
    kind, right = rng.choice(["animal", "plant", "metal"]), rng.random() < 0.5
    of = kind if right else rng.choice([each for each in ("animal", "plant", "metal") if each != kind])
    return f"Is {rng.choice(THINGS[of].split())} {'an' if kind == 'animal' else 'a'} {kind}?", _yes(right)


def _colour(rng: random.Random) -> Told:
    colour = rng.choice(list(COLOURS))
    return f"Which colour has {_one(rng, COLOURS[colour])}?", colour


def _is_colour(rng: random.Random) -> Told:
    colour, right = rng.choice(list(COLOURS)), rng.random() < 0.5
    of = colour if right else rng.choice([each for each in COLOURS if each != colour])
    return f"Is {_one(rng, COLOURS[of])} {colour}?", _yes(right)


def _larger(rng: random.Random) -> Told:
    sizes = SIZES.split()
    a, b = rng.sample(range(len(sizes)), 2)
    return f"Is {_a(sizes[a])} larger than {_a(sizes[b])}?", _yes(a > b)


def _legs(rng: random.Random) -> Told:
    legs, right = rng.choice(list(LEGS)), rng.random() < 0.5
    of = legs if right else rng.choice([each for each in LEGS if each != legs])
    return f"Does {_a(rng.choice(LEGS[of].split()))} have {legs} legs?", _yes(right)


def _can(rng: random.Random) -> Told:
    what, right = rng.choice(list(CAN)), rng.random() < 0.5
    return f"Can {rng.choice((CAN[what] if right else CANNOT).split())} {what}?", _yes(right)


def _topic(rng: random.Random) -> Told:
    topic = rng.choice(list(TOPICS))
    did, what = (_one(rng, each) for each in TOPICS[topic])
    return f"What is this about? {_one(rng, WHO)} {did} {what} {_one(rng, ENDS)}.", topic


def _mood(rng: random.Random) -> Told:
    mood = rng.choice(list(MOODS))
    end = "!" if mood == "happy" and rng.random() < 0.5 else "."
    said = f"{_one(rng, f'I|{WHO}')} {_one(rng, MOODS[mood])} {_one(rng, ENDS)}{end}"
    return f"Is the writer happy or sad? {said}", mood


def _one(rng: random.Random, of: str) -> str:
    return rng.choice(of.split("|"))


def _number(number: int) -> str:
    return NUMBERS.split()[number]


def _yes(right: bool) -> str:
    return "Yes" if right else "No"


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


KINDS: Sequence[Callable[[random.Random], Told]] = (
    _sum, _is_sum, _more, _capital, _is_capital, _thing, _is_thing, _colour, _is_colour, _larger, _legs, _can, _topic,
    _mood,
)  # fmt: skip


def write(file: Path, count: int, seed: int) -> None:
    """Questions and answers as JSON Lines, as `judge.training --text` reads them."""
    lines = (json.dumps({"source": "answers", "text": document(*each)}) for each in questions(count, seed))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m judge.training.short_answers", description=__doc__, formatter_class=formatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder the tuned judge is written to")
    add("--base", type=Path, default=POCKET, help="the judge's folder to tune (default: pocket)")
    add("--work", type=Path, help="folder for texts and checkpoints (default: OUT with .work behind)")
    add("--questions", type=int, default=QUESTIONS, help=f"how many it reads (default: {QUESTIONS})")
    add("--seed", type=int, default=0)
    args, more = parser.parse_known_args(arguments)
    work = args.work or args.out.with_name(f"{args.out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    write(work / "answers.jsonl", args.questions, args.seed)
    write(work / "held-out.jsonl", 500, args.seed + 1)
    train([
        "--text", str(work / "answers.jsonl"), "--heldout", str(work / "held-out.jsonl"), "--base", str(args.base),
        "--work", str(work), "--out", str(args.out), "--seed", str(args.seed), *RECIPE, *more,
    ])  # fmt: skip


# Short windows, each with a few questions, since the judge is asked with one; no primed passages, which are a game's.
RECIPE = (
    "--tokens", "300_000", "--batch", "4096", "--micro", "2048", "--short", "64", "--long-share", "0", "--warm-up",
    "40_000", "--decay", "0.5", "--matrix-lr", "0.004", "--other-lr", "0.0008", "--bos-share", "0", "--primed", "0",
    "--primed-share", "0", "--no-compile",
)  # fmt: skip

if __name__ == "__main__":
    main()
