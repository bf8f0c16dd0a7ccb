"""A client that a generator makes of the OpenAPI document joins and plays: nobody has to write one by hand."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from openapi_generator_cli import run

from tests.support.scenario.deployment import answer
from tests.support.server import Class

NAME = "generated_arena"


@pytest.fixture
def generated(lesson: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package, made of the document that the house serves."""
    document = tmp_path / "openapi.json"
    document.write_bytes(lesson.house.anyone.get("/openapi.json").content)
    where = ["-i", str(document), "-o", str(tmp_path)]
    assert run(["generate", "-g", "python", "--package-name", NAME, *where]).returncode == 0
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module(NAME)
    for name in [each for each in sys.modules if each.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Field name:UserWarning")  # `register` of an event, in what was generated
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_generated_client_joins_and_plays_a_move(lesson: Class, generated: Any) -> None:
    arena = generated

    def client(token: str | None = None) -> Any:
        return arena.ApiClient(arena.Configuration(host=lesson.house.url, access_token=token))

    code, name = lesson.competition["code"], "Grace Hopper"
    joined = arena.CompetitionsApi(client()).join_competition(arena.JoinRequest(code=code, name=name))
    assert joined.player.name == name
    grace = client(joined.token)

    (round_,) = arena.RoundsApi(grace).list_rounds(lesson.id).items
    move = arena.SubmissionRequest(move="12")
    played = arena.SubmissionsApi(grace).submit_move(round_.id, move, wait=30, idempotency_key="once")
    assert played.state == "scored"
    assert played.bits == answer(lesson.house.host.get(f"/submissions/{played.id}"))["bits"]
    assert arena.SubmissionsApi(grace).submit_move(round_.id, move, idempotency_key="once").id == played.id

    (line,) = arena.RoundsApi(grace).get_round_leaderboard(round_.id).items
    assert (line.player.name, line.bits) == (name, played.bits)

    with pytest.raises(arena.exceptions.UnauthorizedException) as refused:
        arena.MeApi(client()).get_me()
    assert refused.value.data.type == "unauthorized"
