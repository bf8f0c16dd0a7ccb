"""A picture to share: found on the page of a move once the round has ended, and seen by a click."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SLOW, OpenPage, Watch, join, scored, submit
from tests.support.pictures import pixels
from tests.support.scenario.deployment import Deployment, Game, answer

pytestmark = pytest.mark.slow

SIZE = """() => {
  const shown = document.querySelector("img");
  return [shown.naturalWidth, shown.naturalHeight];
}"""


def seen(page: Page, button: str) -> Page:
    """The picture that opens beside the page."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name=button).click()
    opened.value.wait_for_load_state()
    return opened.value


def test_a_picture_to_share_is_there_once_the_round_has_ended(
    open_page: OpenPage, arena: Deployment, game: Game, watch: Watch
) -> None:
    page = open_page()
    page.context.on("page", watch.follow)
    join(page, game, "Ada Lovelace")
    submit(page, "a storm at sea")
    bits = scored(page)
    expect(page.get_by_role("button", name="A picture to share")).to_have_count(0)
    with arena.client() as host:
        answer(host.post(f"/rounds/{game.round['id']}:close"))
    expect(page.get_by_role("button", name="A picture to share")).to_be_visible(timeout=SLOW)

    picture = seen(page, "A picture to share")
    assert picture.url.removesuffix("?").endswith("/picture.png")
    assert picture.evaluate(SIZE) == [1200, 630]
    page.get_by_label("with my name on it").check()
    named = seen(page, "A picture to share")
    assert named.url.endswith("/picture.png?name=1")
    images = [pixels(each.request.get(each.url).body()) for each in (picture, named)]
    assert images[0] != images[1]

    drawing = seen(page, "The same as SVG")
    assert drawing.url.endswith("/picture.svg?name=1")
    title = drawing.evaluate("document.querySelector('title').textContent")
    assert title == f"Condense, {'saved' if bits > 0 else 'scored'} {bits:.1f} bits".replace("-", "−")
    assert "Ada Lovelace" in drawing.evaluate("document.querySelector('desc').textContent")
