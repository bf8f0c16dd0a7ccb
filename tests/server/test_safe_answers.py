"""What every answer tells a browser, HEAD wherever GET is, and what an address takes."""

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from tests.support.server import Class, RunningApp
from tests.support.web import Visitor, text_of

ODD = "TRACE"


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def addresses(house: RunningApp) -> dict[str, set[str]]:
    """Every address that a route stands at → what it takes, as the routes say it."""
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(house.app.routes):
        if route.methods and route.path_format:
            found.setdefault(route.path_format.replace("{", "").replace("}", ""), set()).update(route.methods)
    return {path: methods | ({"HEAD"} if "GET" in methods else set()) for path, methods in found.items()}


@pytest.mark.slow
def test_head_is_get_without_its_body_at_every_address(lesson: Class) -> None:
    house = lesson.house
    paths = [path for path, methods in addresses(house).items() if "GET" in methods]
    assert len(paths) > 80
    paths += [f"/api/v1/competitions/{lesson.id}/events", f"/api/v1/rounds/{lesson.round_id}", "/static/arena.css"]
    with httpx.Client(base_url=house.url, headers=house.host.headers, timeout=20) as client:
        for path in paths:
            head = client.head(path)
            assert head.content == b"", path
            with client.stream("GET", path) as got:
                assert head.status_code == got.status_code, path
                assert head.headers.get("content-type") == got.headers.get("content-type"), path


def test_every_answer_is_what_it_says_and_in_no_frame(lesson: Class) -> None:
    house = lesson.house
    with httpx.Client(base_url=house.url, timeout=20) as client:  # nobody, who changes nothing
        for path, methods in addresses(house).items():
            method = next(iter(methods - {"HEAD", "GET"}), "GET")
            with client.stream(method, path) as answer:
                told = answer.headers
            assert told["x-content-type-options"] == "nosniff", path
            assert "frame-ancestors 'none'" in told["content-security-policy"], path
            assert told["x-frame-options"] == "DENY", path
            assert told["cache-control"] in ("no-store", "no-cache"), path
        board = house.host.get(f"/rounds/{lesson.round_id}/leaderboard").headers
        assert (board["cache-control"], bool(board["etag"])) == ("no-cache", True)
        assert "frame-ancestors 'none'" in client.get("/api/v1/docs").headers["content-security-policy"]


def test_an_address_tells_all_that_it_takes(house: RunningApp) -> None:
    with httpx.Client(base_url=house.url) as client:
        for path, methods in addresses(house).items():
            response = client.request(ODD, path)
            assert response.status_code == 405, path
            assert methods <= set(response.headers["allow"].split(", ")), path
        assert client.post("/static/arena.css").headers["allow"] == "GET, HEAD"
        assert client.delete("/healthz").headers["allow"] == "GET, HEAD"
        assert client.put("/api/v1/competitions").headers["allow"] == "GET, HEAD, POST"


def test_a_link_does_not_sign_in_over_somebody_without_a_question(visitor: Visitor, lesson: Class) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    host = lesson.house.host
    for now, name, other, there in ((host, "Host", ada, "Ada"), (ada, "Ada", bob, "Bob"), (bob, "Bob", host, "Host")):
        visitor.http.cookies.clear()
        visitor.sign_in(now)
        asked = visitor.send("/sign-in", key=str(other.token))
        assert f"Sign in as {there} ?" in text_of(asked)
        assert visitor.http.cookies["xentarena_token"] == now.token
        assert name in text_of(visitor.get("/me"))
        visitor.send("/sign-in", key=str(other.token), instead="yes")
        assert visitor.http.cookies["xentarena_token"] == other.token
        assert "Sign in as" not in text_of(visitor.send("/sign-in", key=str(other.token)))
