"""Every page in every state, by the rules of axe: WCAG 2.2 A and AA, and what is good practice beside them."""

from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.support.stage import Stage
from tests.support.states import STATES, State, open_details, page_of

pytestmark = pytest.mark.slow

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
PHONE, DESK = (390, 844), (1280, 900)
#: What axe leaves out unless it is asked for: targets of 24 pixels.
ALL = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
#: In the dark only colours are others.
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}

#: Tokens that a map shows and no row of a table tells, by the map.
UNTOLD = """() => [...document.querySelectorAll(".tokens, blockquote:has(.token)")].map((map) => {
  const told = map.parentElement.querySelectorAll("table tbody tr").length;
  return map.querySelectorAll(".token").length - told;
}).filter((missing) => missing)"""


def _amiss(page: Page, size: tuple[int, int], scheme: Literal["light", "dark"] = "light") -> list[str]:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    options = ALL if scheme == "light" else COLOURS
    found = page.evaluate("(options) => axe.run(options)", options)["violations"]
    return [
        f"{size[0]} {scheme}: {each['id']}: {node['html']}\n{node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_finds_nothing_amiss(browser: Browser, stage: Stage, state: State) -> None:
    with page_of(browser, stage, state.who) as page:
        state.visit(page, stage)
        page.evaluate(AXE)
        found = _amiss(page, PHONE)
        open_details(page)  # all that there is closed, and more
        for size in (PHONE, DESK):
            found += _amiss(page, size) + _amiss(page, size, "dark")
        assert not found, "\n\n".join(found)
        assert page.evaluate(UNTOLD) == [], "each map of tokens is told in a table, too"
