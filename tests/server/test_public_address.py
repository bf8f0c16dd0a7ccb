"""A server behind a proxy: which address its links have, whose forms it takes, and whom it believes."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from server.cli.main import app as command
from server.http.public_address import PublicAddress
from server.settings import Settings
from tests.support.scenario.deployment import HOST_TOKEN
from tests.support.server import RunningApp
from tests.support.web import HTML, text_of

OUTSIDE = "https://school.example/arena"
TEMPLATES = Path(__file__).parents[2] / "server" / "web" / "templates"


@pytest.fixture(scope="module")
def behind(sqlite_house: RunningApp) -> Iterator[RunningApp]:
    """Another process of that server, which is told its public address."""
    made = RunningApp(sqlite_house.settings.database_url or "", sqlite_house.redis_url, public_url=f"{OUTSIDE}/")
    yield made.start()
    made.stop()


@pytest.fixture
def host(behind: RunningApp) -> Iterator[httpx.Client]:
    """A host's browser, of which the proxy passes on neither name nor prefix."""
    with httpx.Client(base_url=behind.url, headers={**HTML, "Cookie": f"xentarena_token={HOST_TOKEN}"}) as http:
        yield http


@pytest.fixture
def competition(behind: RunningApp) -> dict[str, Any]:
    made: dict[str, Any] = behind.host.post("/competitions", json={"name": "Behind"}).json()
    return made


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://school.example"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"}, 303),
        ({"X-Forwarded-Host": "other.example", "Origin": "https://other.example"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://www.school.example"}, 403),
        ({"Origin": "https://school.example.elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_forms_are_taken_from_pages_of_the_public_address(
    host: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert host.post("/host/competitions", data={"name": "A form"}, headers=headers).status_code == status


def test_a_form_that_a_proxy_makes_strange_is_told_both_names_and_what_to_do(sqlite_house: RunningApp) -> None:
    headers = {**HTML, "Origin": "https://school.example", "Host": "upstream"}
    refused = httpx.post(f"{sqlite_house.url}/join", data={"code": "x", "name": "Ada"}, headers=headers)
    assert refused.status_code == 403
    told = text_of(refused)
    for words in ("https://school.example", "upstream", "XENTARENA_PUBLIC_URL=", "proxy_set_header Host $http_host;"):
        assert words in told


def test_whoever_signs_in_gets_a_cookie_for_tls_below_the_prefix(behind: RunningApp) -> None:
    headers = {**HTML, "Origin": "https://school.example"}
    signed_in = httpx.post(f"{behind.url}/arena/sign-in", data={"key": HOST_TOKEN}, headers=headers)
    assert signed_in.headers["location"] == "/arena/host"
    cookie = signed_in.headers["set-cookie"]
    assert "; Secure" in cookie
    assert re.search(r"; Path=/arena(;|$)", cookie)


def test_every_link_begins_with_the_public_address(host: httpx.Client, competition: dict[str, Any]) -> None:
    page = host.get(f"/host/competitions/{competition['id']}")
    assert f"{OUTSIDE}/join/{competition['code']}" in page.text
    wall = host.post(f"/host/competitions/{competition['id']}/wall", headers={"Origin": "https://school.example"})
    path = f"/arena/show/{competition['code']}"
    assert wall.headers["location"] == path
    assert f"Path={path}" in wall.headers["set-cookie"]
    kept = {"Cookie": wall.headers["set-cookie"].partition(";")[0]}
    assert f"{OUTSIDE}/join/{competition['code']}" in host.get(path, headers=kept).text


@pytest.mark.parametrize("prefix", ["", "/arena"], ids=["cut off by the proxy", "passed on"])
def test_every_path_on_a_page_begins_with_the_prefix(
    host: httpx.Client, competition: dict[str, Any], prefix: str
) -> None:
    for path in ("/", "/sign-in", "/host", f"/host/competitions/{competition['id']}", "/games", "/games/condense"):
        page = host.get(prefix + path)
        assert page.status_code == 200, path
        found = re.findall(r'\s(?:href|src|action|formaction|data-[a-z]+)="(/[^"]*)"', page.text)
        assert found
        assert all(each.startswith("/arena/") and not each.startswith("/arena/arena") for each in found), found
    script = host.get(f"{prefix}/static/live.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert host.get(f"{prefix}/nowhere").status_code == 404
    assert host.get(f"{prefix}/api/v1/openapi.json").json()["servers"] == [{"url": "/arena"}]
    assert '"/arena/api/v1/' in host.get(f"{prefix}/api/v1/docs").text


def test_no_template_gives_scripts_an_address_that_gets_no_prefix() -> None:
    known = {"data-events", "data-library", "data-look", "data-order", "data-part", "data-preview"}
    for template in TEMPLATES.rglob("*.html"):
        found = set(re.findall(r'\s(data-[a-z-]+)="(?:/|\{\{ (?:path|here|action) )', template.read_text("utf-8")))
        assert found <= known, template


def test_no_script_has_a_path_that_gets_no_prefix() -> None:
    for script in (TEMPLATES.parent / "static").glob("*.js"):
        code = re.sub(r"//.*", "", script.read_text("utf-8"))
        assert not re.findall(r"[`'\"]/[a-z][^`'\"]*", code), script


@pytest.mark.parametrize(
    ("peer", "trusted", "seen"),
    [
        ("127.0.0.1", None, ("https", "public.example")),
        ("::1", None, ("https", "public.example")),
        ("::ffff:127.0.0.1", None, ("https", "public.example")),
        ("10.1.2.3", None, ("http", "inside")),
        ("10.1.2.3", "10.0.0.0/8", ("https", "public.example")),
        ("127.0.0.1", "10.0.0.0/8,192.0.2.1", ("http", "inside")),
        ("2001:db8::1", "10.0.0.0/8", ("http", "inside")),
        ("203.0.113.9", "*", ("https", "public.example")),
        ("no address", None, ("http", "inside")),
    ],
)
def test_what_was_forwarded_is_believed_of_trusted_proxies_only(
    peer: str, trusted: str | None, seen: tuple[str, str]
) -> None:
    found: list[tuple[str, str]] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        found.append((scope["scheme"], dict(scope["headers"])[b"host"].decode()))

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    settings = Settings() if trusted is None else Settings(trusted_proxies=trusted)  # type: ignore[arg-type]
    headers = [(b"host", b"inside"), (b"x-forwarded-host", b"spoofed.example, public.example")]
    headers += [(b"x-forwarded-proto", b"http"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "scheme": "http", "path": "/", "client": (peer, 1), "headers": headers}
    asyncio.run(PublicAddress(inner, settings)(scope, nothing, nothing))
    assert found == [seen]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--public-url", "arena.example"], "'arena.example' is no address of a server, like https://"),
        (["--public-url", "https://user:secret@arena.example"], "is no address of a server"),
        (["--public-url", "https://arena.example/?a=b"], "is no address of a server"),
        (["--public-url", "https://arena.example:port"], "is no address of a server"),
        (["--root-path", "arena"], "'arena' is no beginning of paths, like /arena"),
        (["--root-path", '/a"b'], "is no beginning of paths"),
        (
            ["--public-url", "https://a.example/x", "--root-path", "/y"],
            "the public address is https://a.example/x",
        ),
        (["--trusted-proxies", "nginx"], "'nginx' does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_starts(flags: list[str], told: str) -> None:
    ended = CliRunner().invoke(command, ["serve", *flags])
    assert ended.exit_code == 2
    assert told in " ".join(re.sub("[│╭╮╰╯─]", " ", ended.output).split())
