"""The lab in a browser: what a judge writes by several methods, and what each cut left, token by token."""

import signal

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, SLOW, OpenPage, fits, sign_in_as_host
from tests.support.scenario.deployment import Deployment

pytestmark = pytest.mark.slow

METHODS = ["greedy", "top-k=3", "top-p=0.9,temperature=1.5", "beam=1"]


def _bars(page: Page, kind: str) -> list[list[float]]:
    """Of each drawing how long its bars of this kind are."""
    return [
        [float(bar.get_attribute("width") or "nan") for bar in drawing.locator(f"rect.{kind}").all()]
        for drawing in page.locator("svg.cut").all()
    ]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without, on a phone"])
def test_methods_go_on_side_by_side_and_each_token_shows_what_its_cut_left(open_page: OpenPage, scripts: bool) -> None:
    host = open_page()
    sign_in_as_host(host)
    state = host.context.storage_state()
    page = open_page(
        "/lab", storage_state=state, java_script_enabled=scripts, **({} if scripts else {"viewport": PHONE})
    )
    page.get_by_role("link", name="Sampling", exact=True).click()
    page.get_by_label("The text to go on with").fill("The tide came in over")
    page.get_by_label("Methods").fill(" ".join(METHODS))
    page.get_by_label("Tokens to write").fill("6")
    page.get_by_role("button", name="Write").click()
    texts = page.locator(".written .tokens")
    expect(texts).to_have_count(4, timeout=SLOW)
    assert texts.first.inner_text() == texts.last.inner_text(), "a beam of one is greedy"
    before, after = _bars(page, "before"), _bars(page, "after")
    assert len(before) == 4
    assert all(sum(each) > 0 for each in before)
    assert [sum(bar > 0 for bar in each) for each in after] == [1, 3, 10, 1], "what each cut left of the ten likeliest"
    expect(page.locator("figcaption").nth(1)).to_contain_text("3 tokens are left")
    page.locator(".written .tokens").first.locator("a").nth(2).click()
    expect(page.get_by_role("heading", name="Token 3 of 6")).to_be_in_viewport()
    expect(page.locator(".written [aria-current]")).to_have_count(4)
    page.get_by_role("link", name="The token before").click()
    expect(page.get_by_role("heading", name="Token 2 of 6")).to_be_visible()
    if scripts:
        with page.expect_download() as download:
            page.get_by_role("link", name="SVG").first.click()
        assert download.value.path().read_text(encoding="utf-8").startswith("<svg xmlns=")
    else:
        fits(page)
    page.get_by_role("link", name="An address to share").click()
    expect(page.get_by_label("Methods")).to_have_value(" ".join(METHODS))


def test_what_takes_long_comes_by_itself_and_leaves_the_form_alone(open_page: OpenPage, arena: Deployment) -> None:
    worker = next(process for process in arena.processes if "worker" in process.command)
    page = open_page()
    sign_in_as_host(page)
    worker.send(signal.SIGSTOP)
    try:
        page.goto("/lab")
        page.get_by_label("The text").fill("Gulls cried over the quiet harbour.")
        page.get_by_role("button", name="Read it").click()
        expect(page.get_by_role("link", name="Look again")).to_be_visible(timeout=SLOW)
        page.get_by_label("The text").fill("The next one")
    finally:
        worker.send(signal.SIGCONT)
    expect(page.locator("#reading tbody tr").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_label("The text")).to_have_value("The next one")
