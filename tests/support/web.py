"""A browser without a browser: cookies, forms and what a page may load."""

import re
from html import unescape
from typing import Any

import httpx

from tests.support.server import Caller, Class, RunningApp

HTML = {"Accept": "text/html"}


class Visitor:
    """A browser, as far as cookies, forms and redirects go."""

    def __init__(self, house: RunningApp) -> None:
        self.http = httpx.Client(base_url=house.url, headers=HTML, follow_redirects=True, timeout=60)
        # A browser names the kind of an empty form too.
        self._form = {"Origin": house.url, "Content-Type": "application/x-www-form-urlencoded"}

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.http.get(path, **more)

    def send(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data=fields, headers=self._form)

    def join(self, lesson: Class, name: str) -> httpx.Response:
        return self.send("/join", code=lesson.competition["code"], name=name)

    def sign_in(self, caller: Caller) -> httpx.Response:
        assert caller.token is not None
        return self.send("/sign-in", key=caller.token, instead="yes")


def text_of(response: httpx.Response) -> str:
    """The page as somebody reads it, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def nothing_from_elsewhere(response: httpx.Response) -> None:
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|(src|href)=\"(https?:)?//", response.text)
