"""The lab's experiments of several readings in a browser, by the judge that ships: on a desk and without a script on a
phone."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, SLOW, OpenPage, fits, sign_in_as_host

pytestmark = pytest.mark.slow

SEA = "The tide came in over the flats.\nThe boats were home before noon.\nGulls cried over the harbour."


def _found(page: Page, way: str, fields: Mapping[str, str]) -> str:
    """What comes of an experiment, as its page says it."""
    page.get_by_role("navigation", name="Experiments").get_by_role("link", name=way, exact=True).click()
    expect(page.get_by_role("heading", name=way, level=1)).to_be_visible()
    expect(page.locator("math").first).to_be_visible()
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Find out").click()
    expect(page.locator("svg.chart")).to_be_visible(timeout=SLOW)
    if page.viewport_size == PHONE:
        fits(page)
    return page.locator("#found").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without, on a phone"])
def test_each_experiment_is_one_screen_with_its_question_its_picture_and_its_formula(
    open_page: OpenPage, scripts: bool
) -> None:
    host = open_page()
    sign_in_as_host(host)
    options = {} if scripts else {"viewport": PHONE, "java_script_enabled": False}
    page = open_page("/lab", storage_state=host.context.storage_state(), **options)
    told = _found(
        page,
        "What a context tells",
        {"The context, which the judge reads before each text": "the sea", "Texts, each in a line of its own": SEA},
    )
    assert "bits a text; 95 % between" in told
    assert page.locator("svg.chart rect").count() >= 3
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    page.get_by_role("link", name="An address to share").click()
    expect(page.get_by_label("Texts, each in a line of its own")).to_have_value(SEA)
    told = _found(page, "Restricted answers", {"The question": "Is the sea wet?"})
    assert "As it says" in told
    assert "Without its prior" in told
    pair = {"The first sentence": "The sea is wet.", "The second sentence": "The sea is dry."}
    told = _found(page, "Implicit knowledge", pair)
    assert "Asked which of both is true" in told
