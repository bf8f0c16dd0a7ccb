"""Seats of a round that the house has: fixed texts there, or a bot of ours that asks no judge."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from games.program import Program
from games.protocol import HouseSeat
from games.runtime.house import BOTS, TEXTS
from games.sentences import say
from server.arena.validation import clean
from server.errors import invalid

HouseSeats = Mapping[str, HouseSeat]


def as_json(house: HouseSeats) -> dict[str, Any]:
    """As a round's row keeps it."""
    return {seat: asdict(each) for seat, each in house.items()}


def of_json(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, HouseSeat]:
    return {seat: HouseSeat(tuple(each["texts"]), each["bot"]) for seat, each in kept.items()}


def check(program: Program, house: HouseSeats) -> dict[str, HouseSeat]:
    """What a host wants of the house, cleaned. Raises `RequestError` (422) where it does not fit the game."""
    for seat in house:
        if seat not in program.seats:
            there = tuple(program.seats)
            told = say("The game has no seat {seat}; its seats are {seats}.", seat=repr(seat), seats=there)
            raise invalid(f"/house/{seat}", told)
    if house and len(house) == len(program.seats):
        raise invalid("/house", say("The house has every seat: leave one to the players."))
    return {seat: _checked(seat, each) for seat, each in house.items()}


def _checked(seat: str, one: HouseSeat) -> HouseSeat:
    place = f"/house/{seat}"
    if bool(one.texts) == bool(one.bot):
        raise invalid(place, say("Say either what the house says in a seat or which of its bots sits there."))
    if len(one.texts) > TEXTS:
        raise invalid(f"{place}/texts", say("The house says at most {most} texts in a seat.", most=TEXTS))
    if one.bot and one.bot not in BOTS:
        told = say("The house has no bot {name}; it has {bots}.", name=repr(one.bot), bots=tuple(BOTS))
        raise invalid(f"{place}/bot", told)
    return HouseSeat(
        tuple(clean(text, f"{place}/texts/{i}", what=say("The text")) for i, text in enumerate(one.texts)), one.bot
    )
