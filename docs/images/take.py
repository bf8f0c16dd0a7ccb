"""Takes the pictures of the pages in README and docs anew: `python docs/images/take.py`, where the tests can run.

A server of its own, the judge that it takes by itself, a class of twelve. Look at each picture before you commit it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from games import library

HERE = Path(__file__).parent
KEY = "a-key-for-the-pictures-0123456789abcdef"
MOVES = {
    "Ada": "family pet missing, then barking outside",
    "Bruno": "dog returns, children cry",
    "Chidi": "rain",
    "Dilek": "puppy lost for days, barking, family",
    "Emil": "pet home again, muddy, found by the gate",
    "Fatou": "animal story, sad then happy",
    "Grace": "a reunion",
    "Hugo": "tax law",
    "Ines": "posters, worry, barking at night",
    "Jonas": "wet fur, happy family",
    "Kim": "they searched everywhere",
    "Leyla": "waiting for him",
}
SLOW = 120_000  # ms; machines that take pictures are busy
WIDE, WALL = ViewportSize(width=1280, height=860), ViewportSize(width=1280, height=720)


class Class:
    """A competition with a round that everybody has moved in. pupils: name → key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api = httpx.Client(base_url=f"{url}/api/v1", timeout=180)
        self.competition = self.post("/competitions", KEY, name="Class 8b")
        [passage] = [each for each in library.load() if each.title == "The lost dog"]
        closes = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
        made = {"game": "condense", "title": passage.title, "passages": [passage.text], "closes_at": closes}
        self.round = self.post(f"/competitions/{self.competition['id']}/rounds", KEY, **made)["id"]
        self.pupils: dict[str, str] = {}
        for name, words in MOVES.items():
            joined = self.post("/competitions:join", None, code=self.competition["code"], name=name)
            self.pupils[name] = joined["token"]
            self.post(f"/rounds/{self.round}/submissions?wait=60", joined["token"], move=words)

    def post(self, path: str, key: str | None, **body: Any) -> Any:
        answer = self.api.post(path, json=body, headers={"Authorization": f"Bearer {key}"} if key else {})
        answer.raise_for_status()
        return answer.json()

    def page(self, browser: Browser, key: str, size: ViewportSize) -> Page:
        """Signed in with that key."""
        page = browser.new_page(base_url=self.url, viewport=size, color_scheme="light", locale="en-GB")
        page.set_default_timeout(SLOW)
        page.goto("/sign-in")
        page.get_by_label("Your key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/rounds/**" if key != KEY else "**/host")
        return page


def take(page: Page, name: str) -> None:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=SLOW)
    page.wait_for_timeout(3_000)  # what comes anew by itself is there, and nothing moves
    picture = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)
    size = (HERE / f"{name}.png").stat().st_size
    sys.stdout.write(f"{name}.png: {size // 1000} kB\n")
    if size > 200_000:
        raise SystemExit("That is more than 200 kB.")


def pictures(browser: Browser, class_: Class) -> None:
    pupil = class_.page(browser, class_.pupils["Ada"], WIDE)
    expect(pupil.locator("#score .tokens").first).to_be_visible(timeout=SLOW)
    take(pupil, "round")
    host = class_.page(browser, KEY, WIDE)
    host.get_by_role("link", name="Class 8b").first.click()
    with host.expect_popup() as opened:
        host.get_by_role("button", name="Open the wall").click()
    take(host, "host")
    class_.post(f"/rounds/{class_.round}:close", KEY)
    class_.post(f"/rounds/{class_.round}:reveal", KEY, which="top", names=True)
    wall = opened.value
    wall.set_viewport_size(WALL)
    expect(wall.get_by_text("What the best wrote")).to_be_visible(timeout=SLOW)
    for _ in range(3):
        wall.keyboard.press("Space")
    take(wall, "wall")


def main() -> None:
    """Start a server, fill it, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "server.cli", "serve", "--json", "--port", "0", "--data", f"{folder}/data"]
        environment = {**os.environ, "XENTARENA_HOST_TOKEN": KEY}
        serve = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            assert serve.stdout is not None
            pictures(browser, Class(json.loads(serve.stdout.readline())["url"]))
        finally:
            browser.close()
            serve.terminate()
            serve.wait()


if __name__ == "__main__":
    main()
