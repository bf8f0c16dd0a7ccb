"""Names that are taken for each other are one; names that people tell apart are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.arena.names import is_reserved, skeleton

ONE = [
    ("Ada", "ADA"), ("Ada", "аda"), ("Ada", "Ada\u200d"), ("Ada", "Ａｄａ"), ("Alan", "AIan"), ("Paul", "PauI"),
    ("Ilse", "IIse"), ("Adolf", "Ad0lf"), ("Alan", "A1an"), ("Bob", "Вob"), ("Nick", "Νick"), ("Вова", "вова"),
    ("Straße", "STRASSE"), ("Lil' Kim", "Lil’ Kim"), ("Anna-Lena", "Anna‑Lena"), ("Ada L", "Ada  L"), ("Вob", "ВОВ"),
    ("Jose\u0301", "José"),
]  # fmt: skip
TWO = [
    ("Zoe", "Zoë"), ("Ali", "All"),
    ("Aila", "Alia"), ("Lia", "Ila"), ("किरण", "करण"), ("Ada", "Ada."), ("Ada L", "AdaL"),
    ("Player 1", "Player 11"), ("Amie", "Arnie"), ("さとう", "ざとう"), ("李", "王"), ("Ольга", "Олега"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ONE)
def test_names_that_look_alike_are_one(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), TWO)
def test_names_that_people_tell_apart_are_two(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=64))
def test_what_a_name_looks_like_looks_like_itself(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)


@pytest.mark.parametrize(
    "name",
    ["Host", "host", "The Host", "*** HOST ***", "H0st", "Нost", "ho-st", "Admin 2", "adm1n", "Xent Arena", "x.e.n.t",
     "Spielleitung", "Die Spielleitung", "Richter", "L’hôte", "HOTE", "Modérateur", "le juge", "Teacher"],
)  # fmt: skip
def test_nobody_is_taken_for_who_runs_this(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["Anna Richter", "Judy", "Adam", "Hostess Anna", "Arena Lopez", "Lehrer Lämpel", "Jugend", "Player 1", "12"]
)
def test_names_of_people_are_theirs(name: str) -> None:
    assert not is_reserved(name)
