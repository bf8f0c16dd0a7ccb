"""Texts that would like to be code stay texts. (A dialog, a blocked script or a foreign request fails every test.)"""

import pytest
from playwright.sync_api import expect

from tests.support.browser import SLOW, OpenPage, board, join, scored, sign_in_as_host, submit
from tests.support.scenario.deployment import Deployment, Game, answer

pytestmark = pytest.mark.slow

PASSAGE = "<script>alert('passage')</script> \"><img src=x onerror=alert(1)> {{ 7 * 7 }} & &lt;b&gt; 's end."
NAME = "<img src=x onerror=alert('name')>"
MOVE = "</textarea><script>alert('move')</script> ships"


def test_markup_in_passages_names_and_moves_stays_text(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, passages=[PASSAGE])
    page, host = open_page(), open_page()
    join(page, game, NAME)
    assert page.locator("blockquote").text_content() == PASSAGE
    submit(page, MOVE)
    scored(page)
    assert page.locator(".tokens").text_content() == PASSAGE
    assert page.locator(".said dd").first.text_content() == MOVE
    expect(board(page).filter(has_text=NAME)).to_be_visible(timeout=SLOW)
    page.reload()
    expect(page.locator(".mine").get_by_text(MOVE)).to_be_visible()
    sign_in_as_host(host)
    host.goto(f"/host/competitions/{game.competition['id']}")
    expect(host.get_by_text(MOVE)).to_be_visible()
    expect(host.get_by_text(NAME).first).to_be_visible()
    assert page.locator("img, script:not([src])").count() == 0
    assert host.locator("img, script:not([src])").count() == 0


def test_markup_in_a_competition_s_name_stays_text(open_page: OpenPage, arena: Deployment) -> None:
    name = "<b onclick=alert(2)>Class</b>"
    with arena.client() as host:
        made = answer(host.post("/competitions", json={"name": name}), 201)
    page = open_page(f"/join/{made['code']}")
    page.get_by_label("Your name in the game").fill("Ada")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_markup_in_forms_and_addresses_stays_text(open_page: OpenPage, game: Game) -> None:
    page = open_page("/join/%22%3E%3Cimg%20src=x%20onerror=alert(3)%3E")
    page.get_by_label("Your name in the game").fill('"><script>alert(4)</script>')
    expect(page.get_by_label("Join code")).to_have_value('"><img src=x onerror=alert(3)>')
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Your name in the game")).to_have_value('"><script>alert(4)</script>')
    page.goto("/sign-in#%22%3E%3Cscript%3Ealert(5)%3C%2Fscript%3E")
    expect(page.locator("#key-error")).to_be_visible()
    with game.join("Ada") as ada:
        page.goto(f"/sign-in#{ada.headers['authorization'].removeprefix('Bearer ')}")
        expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    page.goto("/rounds/%3Cimg%20src=x%20onerror=alert(6)%3E")
    expect(page.get_by_text("There is no round '<img src=x onerror=alert(6)>'.")).to_be_visible()


def test_a_form_of_another_site_does_nothing(open_page: OpenPage, game: Game, arena: Deployment) -> None:
    """The other site is the same server by its other name: another origin, so that the cookie would have to travel."""
    page = open_page()
    join(page, game, "Ada")
    elsewhere = page.context.new_page()
    elsewhere.goto(f"http://localhost:{arena.port}/")
    status = elsewhere.evaluate(
        """async (url) => (await fetch(url, {method: "POST", mode: "no-cors", credentials: "include",
            body: new URLSearchParams({move: "forged"})}).then(() => "sent", () => "refused"))""",
        f"{arena.url}/rounds/{game.round['id']}/moves",
    )
    assert status == "refused"
    assert game.all_submissions() == []
