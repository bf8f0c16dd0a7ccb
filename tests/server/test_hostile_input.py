"""No text that comes in is a server error: every parameter, body and form of every route, on both databases."""

import re
from collections.abc import Iterator
from json import dumps
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

import server.web.rendering
from tests.support import contract
from tests.support.server import Class, Json, RunningApp

NUL, LONG, HALF, HUGE = "a\0b", "x" * 20_000, "a\ud800b", 2**70
TEMPLATES = Path(server.web.rendering.__file__).parent / "templates"
FIELDS = sorted(
    {name for file in TEMPLATES.rglob("*.html") for name in re.findall(r'\bname="([a-z_]+)"', file.read_text())}
)
#: Host and token that end with the request: whoever asks would be nobody afterwards.
LEFT_OUT = {"revoke_my_token"}


def known(lesson: Class, path: str) -> str:
    """The address with ids that are there, as far as they are known here."""
    return path.replace("{competition_id}", lesson.id).replace("{round_id}", lesson.round_id)


def asked(lesson: Class) -> Iterator[tuple[str, str, Json]]:
    """Method, address and the rest of a request, for each parameter and body that the document has."""
    for path, item in contract.document()["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] in LEFT_OUT:
                continue
            there = re.sub(r"\{[^}]*\}", "none", known(lesson, path))
            for each in operation.get("parameters", ()):
                yield from with_parameter(method, path, there, each)
            yield from with_body(method, there, operation)
            for cookie in ('"a\\000b"', "%00", LONG[:4_000]):
                yield method, there, {"cookies": {"xentarena_token": cookie, "xentarena_language": cookie}}


def with_parameter(method: str, path: str, there: str, each: Json) -> Iterator[tuple[str, str, Json]]:
    name = each["name"]
    for evil in ("a%00b", "%ED%A0%80", LONG, f"-{HUGE}"):
        if each["in"] == "path":
            yield method, re.sub(r"\{[^}]*\}", "none", path.replace(f"{{{name}}}", evil)), {}
        elif each["in"] == "query":
            yield method, f"{there}?{name}={evil}", {}
        else:
            yield method, there, {"headers": {name: evil}}


def with_body(method: str, there: str, operation: Json) -> Iterator[tuple[str, str, Json]]:
    content = operation.get("requestBody", {}).get("content", {})
    if "text/csv" in content:
        for data in (
            b"name,id\na\0b,c\0d\n",
            b"name,id\n" + b"x" * 9_000 + b"," + b"y" * 9_000,
            b"\xff\xfe\0\0",
            b"\0",
        ):
            yield method, there, {"content": data, "headers": {"Content-Type": "text/csv"}}
    if schema := content.get("application/json", {}).get("schema"):
        for name in fields(schema):
            for evil in (NUL, HALF, LONG, -HUGE, [NUL, HUGE], {NUL: NUL}):
                yield method, there, {"json": good(schema) | {name: evil}}


def fields(schema: Json) -> Json:
    for choice in (schema, *schema.get("anyOf", ())):
        if "$ref" in choice:
            found: Json = contract.document()["components"]["schemas"][choice["$ref"].rpartition("/")[2]]["properties"]
            return found
    return {}


def good(schema: Json) -> Json:
    return {name: field["examples"][0] for name, field in fields(schema).items() if field.get("examples")}


@pytest.mark.slow
def test_no_parameter_and_no_body_of_the_api_is_a_server_error(lesson: Class) -> None:
    host, tried, failed = lesson.house.host, 0, list[object]()
    with httpx.Client(base_url=lesson.house.url, timeout=30) as client:
        for method, path, rest in asked(lesson):
            sent = {**rest, "headers": {**(host.headers if "cookies" not in rest else {}), **rest.pop("headers", {})}}
            told = answered(client, method, path, sent)
            if told >= 500:
                failed.append((method, path[:120], str(rest)[:200]))
            tried += 1
    assert not failed
    assert tried > 1_000


def answered(client: httpx.Client, method: str, path: str, sent: Any) -> int:
    """The status. A stream is not read."""
    cookies = sent.pop("cookies", {})
    if cookies:
        sent["headers"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if "json" in sent:
        sent["content"] = dumps(sent.pop("json"))
        sent["headers"]["Content-Type"] = "application/json"
    with client.stream(method.upper(), path, **sent) as response:
        return response.status_code


def pages(house: RunningApp) -> list[tuple[str, str]]:
    return [
        (method, route.path_format)
        for route in iter_route_contexts(house.app.routes)
        for method in sorted(route.methods or ())
        if route.path_format and not route.path_format.startswith(("/api/", "/metrics")) and method in ("GET", "POST")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("signed_in", [True, False])
def test_no_form_and_no_query_of_a_page_is_a_server_error(lesson: Class, signed_in: bool) -> None:
    house = lesson.house
    headers = {"Origin": house.url, "Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    if signed_in:
        headers["Cookie"] = f"xentarena_token={house.host.token}"
    failed = list[object]()
    evils: tuple[str, ...] = ("a%00b", "%ED%A0%80", "x" * 9_000, str(HUGE))
    evils = evils if signed_in else evils[:1]  # nobody comes further than that
    with httpx.Client(base_url=house.url, headers=headers, timeout=30) as client:
        for method, path in pages(house):
            there = re.sub(r"\{[^}]*\}", "none", known(lesson, path))
            for evil in evils:
                sent = {"content": "&".join(f"{name}={evil}" for name in FIELDS)} if method == "POST" else {}
                query = (
                    ""
                    if method == "POST"
                    else f"?{'&'.join(f'{n}={evil[:400]}' for n in FIELDS[:40])}&cursor={evil[:400]}"
                )
                status = answered(client, method, f"{there}{query}", {**sent, "headers": {}})
                if status >= 500:
                    failed.append((method, there, evil[:20]))
    assert not failed
