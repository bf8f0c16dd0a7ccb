"""What a host says of a round in the form of a page."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from games.library import load
from games.protocol import HouseSeat
from games.runtime.house import BOTS
from games.sentences import Sentence, say
from server.arena import games, judges, passages, round_making, round_setup, rounds
from server.arena.round_setup import NewRound
from server.arena.unit import Unit
from server.arena.workforce import MOVE_EVERY
from server.db.models import Round
from server.errors import invalid
from server.web import games as game_pages
from server.web import local_time

Form = Mapping[str, str]
MOST = 1_000_000  # attempts, and minutes that a round lasts


@dataclass(frozen=True, slots=True)
class Speed:
    """How many moves a second a judge measures, and how large a class that is enough for."""

    judge: str
    rate: float
    players: int


def choices(unit: Unit, chosen: str | None = None) -> dict[str, Any]:
    """What the form offers to choose from. chosen: the judge for which passages are looked at."""
    return {
        "games": [game_pages.line(row) for row in sorted(games.listed(unit.session), key=lambda row: row.name)],
        "default_game": games.DEFAULT,
        "judges": (names := judge_names(unit)),
        "offered": passages.offered(unit, chosen or next(iter(names), None)) if names else [],
        "speeds": _speeds(unit),
        "move_every": MOVE_EVERY,
        "move_seconds": round_making.MOVE_SECONDS,
        "house_bots": list(BOTS),
    }


def judge_names(unit: Unit) -> list[str]:
    """Those at work first, the usual one in front; then others that were seen once."""
    known = {judge.identity: judge.name for judge in judges.visible(unit)}
    at_work = [known[identity] for identity in unit.workforce.judges() if identity in known]
    return list(dict.fromkeys([*at_work, *known.values()]))


def _speeds(unit: Unit) -> list[Speed]:
    """Of the judges at work that have been tried."""
    known = {judge.identity: judge.name for judge in judges.visible(unit)}
    found = [(known[each], unit.workforce.rate(each), unit.workforce.class_size(each))
             for each in unit.workforce.judges() if each in known]  # fmt: skip
    return [Speed(name, rate, players) for name, rate, players in found if rate and players]


def said(form: Form) -> NewRound:
    """A round to be made."""
    return NewRound(
        game=form.get("game") or games.DEFAULT,
        passages=[*_passages(form.get("passages", "")), *_packaged(form.get("library", ""))],
        judge=form.get("judge") or None,
        judges=_judges(form.get("judges", "")),
        second_judge=form.get("second_judge") or None,
        house=_house(form.get("house", "")),
        title=form.get("title", "").strip() or None,
        draft="draft" in form,
        attempts=_attempts(form),
        opens_at=local_time.moment(form, "opens_at"),
        closes_at=local_time.moment(form, "closes_at"),
        duration=lasts(form),
        move_seconds=_move_seconds(form),
    )


def changed(unit: Unit, round_: Round, form: Form) -> dict[str, Any]:
    """The fields of the form that say something else than it showed of the round."""
    shown, before = of_round(unit, round_), round_making.said_of(unit.session, round_, unit.now)
    new = said({**shown, "opens_at": "", "closes_at": "", **form})
    told = {name for name, text in shown.items() if name in form and form[name].replace("\r\n", "\n").strip() != text}
    if form.get("library"):
        told.add("passages")
    changes = {name: getattr(new, name) for name in told - {"opens_at", "closes_at", "minutes"}}
    opened = rounds.has_opened(round_, unit.now)
    for name, was in (("opens_at", before.opens_at), ("closes_at", round_.closes_at if opened else before.closes_at)):
        moment = local_time.as_shown(getattr(new, name), was)
        if name in form and moment != was:
            changes[name] = moment
    if "minutes" in told and opened:
        changes["closes_at"] = end({**form, "closes_at": form["closes_at"] if "closes_at" in changes else ""}, unit.now)
    elif "minutes" in told:
        changes["duration"] = new.duration
    return changes


def of_round(unit: Unit, round_: Round) -> dict[str, str]:
    """The form as it is filled for a round that is there, its times in UTC. Once it is open, minutes count from now."""
    said = round_making.said_of(unit.session, round_, unit.now)
    opened = rounds.has_opened(round_, unit.now)
    names = {slot: judges.find(unit.session, identity).name for slot, identity in (said.judges or {}).items()}
    return {
        "title": said.title or "",
        "game": round_.game,
        "passages": "\n---\n".join(said.passages),
        "judge": judges.find(unit.session, said.judge).name,
        "judges": ", ".join(f"{slot}={name}" for slot, name in sorted(names.items())),
        "second_judge": judges.find(unit.session, said.second_judge).name if said.second_judge else "",
        "house": "\n".join(_house_lines(said.house)),
        "attempts": str(said.attempts or ""),
        "opens_at": local_time.typed(said.opens_at),
        "closes_at": local_time.typed(round_.closes_at if opened else said.closes_at),
        "minutes": str(said.duration // 60) if said.duration and not opened else "",
        "move_seconds": str(said.move_seconds or ""),
    }


def end(form: Form, at: datetime) -> datetime | None:
    """When a round is to end that is open from now on: at a time, or so many minutes from now."""
    closes_at, seconds = local_time.moment(form, "closes_at"), lasts(form)
    if closes_at is not None and seconds is not None:
        raise invalid("/minutes", say("Say when the round closes or how long it lasts, not both."))
    return closes_at if seconds is None else at + timedelta(seconds=seconds)


def lasts(form: Form) -> int | None:
    minutes = _number(form, "minutes", say("How long the round lasts"), MOST)
    return minutes * 60 if minutes else None


def _attempts(form: Form) -> int | None:
    return _number(form, "attempts", say("The number of attempts"), MOST)


def _move_seconds(form: Form) -> int | None:
    what = say("The time for a move, in seconds,")
    least, most = round_setup.LEAST_MOVE_SECONDS, round_setup.MOST_MOVE_SECONDS
    return _number(form, "move_seconds", what, most, least=least)


def _judges(text: str) -> dict[str, str]:
    """Slots and judges of a line like `backward=pocket-backward, critic=gpt2`."""
    pairs = [each.partition("=") for each in text.split(",") if each.strip()]
    if not all(slot.strip() and judge.strip() for slot, _, judge in pairs):
        raise invalid(
            "/judges", say("Say which judge is which as in backward=pocket-backward, with commas between two.")
        )
    return {slot.strip(): judge.strip() for slot, _, judge in pairs}


#: `white = key_words` seats a bot there; `white: Some words.` is one of the texts that are said there.
_HOUSE = re.compile(r"(\w+)\s*([=:])\s*(.+)")


def _house(text: str) -> dict[str, HouseSeat]:
    """Seats of the house, by lines."""
    found: dict[str, HouseSeat] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        read = _HOUSE.fullmatch(line)
        seat, sign, said = read.groups() if read else ("", "", "")
        before = found.get(seat, HouseSeat())
        if not read or before.bot or (sign == "=" and before.texts):
            raise invalid(
                "/house", say("Say who has a seat as in white = key_words, or its texts as in white: Some words.")
            )
        found[seat] = HouseSeat(bot=said) if sign == "=" else HouseSeat((*before.texts, said))
    return found


def _house_lines(house: Mapping[str, HouseSeat]) -> Iterator[str]:
    for seat, each in house.items():
        if each.bot:
            yield f"{seat} = {each.bot}"
        yield from (f"{seat}: {' '.join(text.split())}" for text in each.texts)


def _passages(text: str) -> list[str]:
    """The passages of the one text field, none where it is empty: a line with nothing but --- stands between two."""
    if not text.strip():
        return []
    found = [""]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip() == "---":
            found.append("")
        else:
            found[-1] += f"{line}\n"
    return [passage.strip() for passage in found]


def _packaged(name: str) -> list[str]:
    """The text of the packaged passage that is chosen, if one is."""
    found = [each.text for each in load() if each.id == name]
    if name and not found:
        raise invalid("/library", say("There is no packaged passage {name}.", name=repr(name[:64])))
    return found


def _number(form: Form, field: str, what: Sentence, most: int, *, least: int = 1) -> int | None:
    text = form.get(field, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        told = say(
            "{what} is a whole number from {least} to {most}, or empty.", what=what, least=least, most=f"{most:,}"
        )
        raise invalid(f"/{field}", told)
    return int(text)
