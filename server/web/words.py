"""What people are told of the names that programs use: states, seats, judge slots, fields that an error is about."""

import re

from games.library import Kind, Level
from games.preflight import BACKWARD
from games.protocol import MAIN
from server.db.states import LabExperiment, RoundState, SubmissionState, Total
from server.errors import Detail, ServerError
from server.web.i18n import _, gettext, mark, translated

_STATES: dict[str, str] = {
    RoundState.PREPARING: mark("preparing"),
    RoundState.SCHEDULED: mark("scheduled"),
    RoundState.OPEN: mark("open"),
    RoundState.PAUSED: mark("paused"),
    RoundState.CLOSED: mark("closed"),
    SubmissionState.AWAITING_MOVE: mark("awaits the next move"),
    SubmissionState.AWAITING_OPPONENT: mark("waits for the opponent"),
    SubmissionState.QUEUED: mark("waits for the judge"),
    SubmissionState.SCORED: mark("scored"),
    SubmissionState.REJECTED: mark("not scored"),
    SubmissionState.VOID: mark("the game broke off"),
    SubmissionState.FAILED: mark("could not be measured"),
}
_TOTALS: dict[str, str] = {
    Total.BITS: mark("Everybody's total is the sum of their best bits in each round, also below zero."),
    Total.FLOORED: mark("Everybody's total is the sum of their best bits in each round; below zero counts as 0."),
    Total.POINTS: mark(
        "Everybody's total is the sum of their points: in each round one for taking part and one for every other"
        " player who does not have more."
    ),
    Total.PERCENT: mark(
        "Everybody's total is the sum, over the rounds, of the percentage of the passage's bits that their best saves;"
        " below zero counts as 0, and so does a round in which that is not what is scored."
    ),
}
#: Of packaged passages.
_KINDS: dict[str, str] = {
    Kind.STORY: mark("stories"),
    Kind.SCIENCE: mark("science"),
    Kind.HISTORY: mark("history"),
    Kind.EVERYDAY: mark("everyday life"),
    Kind.HOW_TO: mark("how things are done"),
}
_LEVELS: dict[str, str] = {Level.EASY: mark("easy"), Level.MEDIUM: mark("medium"), Level.HARD: mark("hard")}
#: Of the lab.
_EXPERIMENTS: dict[str, str] = {
    LabExperiment.READING: mark("Readings"),
    LabExperiment.SAMPLING: mark("Sampling"),
    LabExperiment.PASSAGES: mark("What a context tells"),
    LabExperiment.ANSWERS: mark("Restricted answers"),
    LabExperiment.PAIRS: mark("Implicit knowledge"),
}
_SEATS = {
    "black": mark("Black"),
    "white": mark("White"),
    "alice": mark("Alice"),
    "bob": mark("Bob"),
    "carol": mark("Carol"),
    "env": mark("Env"),
}


#: Slots whose names mean something to every game; others are named by the game's author.
_SLOTS = {MAIN: mark("the judge"), BACKWARD: mark("one that reads backwards")}
_PASSAGE = re.compile(r"/passages/(\d+)")
_SLOT = re.compile(r"/judges/(.+)")

#: By what English puts after the number; a language may do with one of them.
_ORDINALS = {
    "st": mark("{number}st"),
    "nd": mark("{number}nd"),
    "rd": mark("{number}rd"),
    "th": mark("{number}th"),
}


def ordinal(number: int) -> str:
    """1st, 2nd. The first has a message of its own: some languages have a word only for it."""
    if number == 1:
        return gettext("1st")
    teen = 10 < number % 100 < 20
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return gettext(_ORDINALS[ending]).format(number=number)


def total_in_words(total: str) -> str:
    """What a competition's board adds up."""
    return gettext(_TOTALS[total])


def state_name(state: str) -> str:
    """Of a round or of a submission."""
    return gettext(_STATES[state])


def kind_name(kind: str) -> str:
    """Of packaged passages."""
    return gettext(_KINDS[kind])


def level_name(level: str) -> str:
    """How hard a packaged passage is."""
    return gettext(_LEVELS[level])


def experiment_name(experiment: str) -> str:
    """Of the lab; by its name where a later version has it."""
    return gettext(_EXPERIMENTS.get(experiment, experiment))


def seat_name(seat: str) -> str:
    return gettext(_SEATS[seat])


def slot_name(slot: str) -> str:
    """Of a judge that a game asks for."""
    return gettext(_SLOTS.get(slot, slot))


def told(error: ServerError) -> str:
    """What is wrong, each part of it with what it is about where a form has several of that."""
    return " ".join(map(_told, error.errors)) or translated(error.detail)


def _told(error: Detail) -> str:
    detail = translated(error.detail)
    if passage := _PASSAGE.fullmatch(error.pointer):
        return _("Passage {number}: {detail}", number=int(passage[1]) + 1, detail=detail)
    if slot := _SLOT.fullmatch(error.pointer):
        return _("Judge “{name}”: {detail}", name=slot[1], detail=detail)
    return detail
