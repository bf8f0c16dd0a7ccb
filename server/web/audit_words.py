"""What hosts did, in words: the actions of the audit and the values before and after."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from server.arena.reveals import Which
from server.db.states import Joining, RoundState, Total
from server.web.i18n import _, gettext, localised, mark, ngettext
from server.web.rendering import moment
from server.web.words import experiment_name, state_name

ACTIONS = {
    "competition.create": mark("made the competition"),
    "competition.total": mark("changed what the board adds up"),
    "competition.freeze": mark("froze the boards"),
    "competition.unfreeze": mark("unfroze the boards"),
    "competition.publish": mark("published the competition"),
    "competition.joining": mark("changed who may join"),
    "competition.lab": mark("changed whether players may use the lab"),
    "competition.experiments": mark("changed which experiments of the lab are closed to players"),
    "competition.code": mark("made another join code"),
    "competition.retention": mark("changed how long players are kept"),
    "competition.retention-due": mark("set when the players are deleted"),
    "competition.retention-done": mark("deleted the players, whose time had come"),
    "announcement.make": mark("announced something"),
    "announcement.withdraw": mark("took an announcement back"),
    "wall.open": mark("opened a wall"),
    "wall.end": mark("ended the walls"),
    "roster.add": mark("brought a roster"),
    "players.remove": mark("removed all who joined in a time"),
    "players.readmit": mark("took back those who were removed together"),
    "player.admit": mark("let a player in"),
    "player.rename": mark("renamed a player"),
    "player.key": mark("gave a player a new key"),
    "player.delete": mark("deleted a player for good"),
    "player.team": mark("put a player into a team"),
    "team.create": mark("made a team"),
    "team.rename": mark("renamed a team"),
    "team.delete": mark("deleted a team"),
    "team.restore": mark("took a deleted team back"),
    "teams.spread": mark("spread players over teams"),
    "host.invite": mark("let a host or an observer in"),
    "host.renew": mark("gave a host or an observer a new key"),
    "host.dismiss": mark("ended the access of a host or an observer"),
    "round.create": mark("made a round"),
    "round.change": mark("edited a round"),
    "round.end": mark("changed the end of a round"),
    "round.publish": mark("published a round"),
    "round.move": mark("moved a round in the list"),
    "round.delete": mark("deleted a round"),
    "round.restore": mark("took a deleted round back"),
    "round.opened": mark("opened a round"),
    "round.paused": mark("paused a round"),
    "round.closed": mark("closed a round"),
    "round.rescore": mark("had a round scored again, aside"),
    "round.rescore-apply": mark("let the scores of a rescoring count"),
    "round.rescore-drop": mark("dropped a rescoring"),
    "round.reveal": mark("revealed moves"),
    "round.conceal": mark("concealed moves"),
    "submission.hide": mark("hid a move"),
    "submission.show": mark("showed a hidden move"),
    "player.remove": mark("removed a player"),
    "player.readmit": mark("readmitted a player"),
}
_JOINING: dict[str, str] = {
    Joining.OPEN: mark("everybody may join"),
    Joining.APPROVAL: mark("whoever joins waits until you let them in"),
    Joining.LOCKED: mark("nobody may join"),
}
_TOTALS: dict[str, str] = {
    Total.BITS: mark("best bits, also below zero"),
    Total.FLOORED: mark("best bits, below zero as 0"),
    Total.POINTS: mark("points for every player who does not have more"),
    Total.PERCENT: mark("percent of the passage’s bits"),
}
_STEPS = {
    "draft": mark("draft"),
    "published": mark("published"),
    "waiting": mark("waiting"),
    "let in": mark("let in"),
    "opens when it is prepared": mark("opens when it is prepared"),
}
_REVEALS: dict[str, str] = {
    Which.ALL: mark("everybody's"),
    Which.TOP: mark("the best three"),
    Which.BELOW_OWN_BEST: mark("of those who have no more bits than whoever looks"),
}
_FIELDS = {
    "game": mark("game"),
    "passages": mark("passages"),
    "judge": mark("judge"),
    "judges": mark("judges"),
    "second_judge": mark("second judge"),
    "profile": mark("profile"),
    "attempts": mark("attempts"),
    "opens_at": mark("opens at"),
    "closes_at": mark("closes at"),
    "seed": mark("seed"),
    "move_seconds": mark("seconds for a move"),
    "house": mark("seats of the house"),
    "title": mark("title"),
    "draft": mark("draft"),
    "duration": mark("seconds that it is open"),
}
_FIELD = re.compile(rf"(?:^|(?<=, ))({'|'.join(_FIELDS)}): ")
_COUNT = re.compile(r"([\d,]+) players")
_AT = re.compile(r"(frozen|opens) at (.+)")
_DAYS = re.compile(r"([\d,]+) days")
_KEPT = {"for good": mark("for good"), "as the server": mark("as the server has it")}
_WITH_NAMES, _WITHOUT_NAMES = mark("with names"), mark("without names")


def action(name: str) -> str:
    """What was done; by its name where a later version did it."""
    return gettext(ACTIONS[name]) if name in ACTIONS else name


def value(action_name: str, told: Any) -> str | None:
    """What it was before, or after. None: nothing, or nothing that was noted."""
    if told is None:
        return None
    if isinstance(told, bool):
        return _("yes") if told else _("no")
    in_words = _VALUES.get(action_name)
    return in_words(str(told)) if in_words else str(told)


def _one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    return lambda told: gettext(words.get(told, told))


def _state(told: str) -> str:
    if found := _AT.fullmatch(told):
        return _("opens at {at}", at=_time(found[2]))
    return state_name(told) if told in list(RoundState) else _one_of(_STEPS)(told)


def _frozen(told: str) -> str:
    found = _AT.fullmatch(told)
    return _("frozen at {at}", at=_time(found[2])) if found else told


def _time(told: str) -> str:
    return moment(datetime.fromisoformat(told))


def _kept(told: str) -> str:
    found = _DAYS.fullmatch(told)
    if found is None:
        return _one_of(_KEPT)(told)
    return ngettext("{count} day", "{count} days", int(found[1])).format(count=found[1])


def _players(told: str) -> str:
    found = _COUNT.fullmatch(told)
    if found is None:
        return told
    return ngettext("{count} player", "{count} players", int(found[1].replace(",", ""))).format(
        count=localised(found[1])
    )


def _experiments(told: str) -> str:
    return ", ".join(experiment_name(each) for each in told.split(", ")) if told else _("none")


def _reveal(told: str) -> str:
    which, _comma, names = told.partition(", ")
    return f"{_one_of(_REVEALS)(which)}, {gettext(_WITH_NAMES if names == _WITH_NAMES else _WITHOUT_NAMES)}"


def _fields(told: str) -> str:
    """`name: value` for each that changed; a value is as the host gave it."""
    parts = _FIELD.split(told)[1:]
    return "; ".join(
        f"{gettext(_FIELDS[name])}: {_given(name, said.removesuffix(', '))}"
        for name, said in zip(parts[::2], parts[1::2], strict=True)
    )


def _given(name: str, said: str) -> str:
    if said in ("None", "True", "False"):
        return {"None": "–", "True": _("yes"), "False": _("no")}[said]
    return _time(said) if name.endswith("_at") else said


#: How the values of an action are told, where they are more than a name or a number.
_VALUES: dict[str, Callable[[str], str]] = {
    "competition.joining": _one_of(_JOINING),
    "competition.total": _one_of(_TOTALS),
    "competition.publish": _one_of(_STEPS),
    "competition.experiments": _experiments,
    "competition.freeze": _frozen,
    "competition.unfreeze": _frozen,
    "competition.retention": _kept,
    "competition.retention-due": _time,
    "competition.retention-done": _time,
    "player.admit": _one_of(_STEPS),
    "players.remove": _players,
    "players.readmit": _players,
    "roster.add": _players,
    "teams.spread": _players,
    "round.opened": _state,
    "round.paused": _state,
    "round.closed": _state,
    "round.publish": _state,
    "round.end": _time,
    "round.reveal": _reveal,
    "round.conceal": _reveal,
    "round.change": _fields,
}
