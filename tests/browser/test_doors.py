"""Ways in and out: codes, names, keys, and pages for when something is wrong."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import SLOW, OpenPage, join, live
from tests.support.scenario.deployment import HOST_TOKEN, Game, answer

pytestmark = pytest.mark.slow


def test_a_wrong_code_is_told_at_its_field_and_the_name_is_kept(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_label("Join code").fill("NOSUCH")
    page.get_by_label("Your name in the game").fill("Ada")
    page.get_by_role("button", name="Join").click()
    expect(page.locator("#code-error")).to_contain_text("There is no competition with this code")
    expect(page.get_by_label("Your name in the game")).to_have_value("Ada")
    expect(page.get_by_label("Join code")).to_be_focused()


@pytest.mark.parametrize(
    ("code", "name", "field", "complaint"),
    [
        ("", "Ada", "code", "The join code is empty."),
        (None, "  ", "name", "The name is empty."),
        (None, "x" * 65, "name", "at most 64"),
        (None, "Bob", "name", "There is already a player named 'Bob' here"),
    ],
    ids=["no code", "no name", "long name", "taken name"],
)
def test_what_is_wrong_with_a_form_is_told_at_its_field(
    open_page: OpenPage, game: Game, code: str | None, name: str, field: str, complaint: str
) -> None:
    game.join("Bob").close()
    page = open_page("/")
    page.get_by_label("Join code").fill(game.competition["code"] if code is None else code)
    page.get_by_label("Your name in the game").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.locator(f"#{field}-error")).to_contain_text(complaint)
    expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")


def test_a_code_is_taken_however_it_is_written(open_page: OpenPage, game: Game) -> None:
    code = game.competition["code"].lower()
    page = open_page("/")
    page.get_by_label("Join code").fill(f"{code[:3]}-{code[3:]}")
    page.get_by_role("button", name="Suggest a name").click()
    expect(page.get_by_label("Your name in the game")).not_to_have_value("")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)


def test_a_player_comes_back_on_another_device(open_page: OpenPage, game: Game) -> None:
    here, there = open_page(), open_page()
    join(here, game, "Ada")
    here.get_by_role("link", name="Ada").click()
    here.get_by_role("button", name="Show my key").click()
    link = here.get_by_label("Link").input_value()

    there.goto(link)
    expect(there.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    expect(there.get_by_role("link", name="Ada")).to_be_visible()
    assert "#" not in there.url
    there.go_back()
    assert "#" not in there.url

    here.get_by_role("button", name="Sign out").click()
    expect(here.get_by_role("heading", name="Join", exact=True)).to_be_visible()
    here.goto("/play")
    expect(here).to_have_url(f"{game.arena.url}/")


def test_a_wrong_key_is_told_in_words(open_page: OpenPage) -> None:
    page = open_page("/sign-in")
    page.get_by_label("Your key").fill("not a key")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#key-error")).to_have_text("This key is not known here. Copy it whole.")


def test_no_script_can_read_the_key(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert cookie.get("httpOnly") is True
    assert cookie.get("sameSite") == "Lax"


def test_a_key_that_is_no_longer_good_leads_to_a_page_that_says_so(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    live(page)
    (cookie,) = page.context.cookies()
    with game.arena.client(cookie.get("value")) as ada:
        assert ada.delete("/me/token").status_code == 204
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=SLOW)
    page.goto("/play")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.get_by_role("link", name="join again").click()
    expect(page.get_by_role("heading", name="Join", exact=True)).to_be_visible()


def test_a_removed_player_is_told_at_once(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    live(page)
    with game.arena.client() as host:
        members = answer(host.get(f"/competitions/{game.competition['id']}/players"))["items"]
        answer(host.post(f"/players/{members[0]['id']}:remove"))
    expect(page.get_by_text("The host has removed this player from the competition.")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Join", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/nothing-here", "/rounds/rnd_none", "/submissions/sub_none"])
def test_an_address_with_nothing_at_it_has_a_page(open_page: OpenPage, game: Game, path: str) -> None:
    page = open_page()
    join(page, game, "Ada")
    response = page.goto(path)
    assert response is not None
    assert response.status == 404
    expect(page.get_by_role("link", name="To the start")).to_be_visible()


def test_the_api_describes_itself_without_any_other_machine(open_page: OpenPage) -> None:
    page = open_page("/api/v1/docs")
    expect(page.get_by_text("/api/v1/competitions:join")).to_be_visible()
    page.get_by_text("/api/v1/competitions:join").click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_whoever_tries_the_api_out_is_who_they_say(open_page: OpenPage) -> None:
    page = open_page("/api/v1/docs")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".auth-container")
    dialog.get_by_role("textbox").fill(HOST_TOKEN)
    dialog.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).click()
    route = page.locator("#operations-me-get_me")
    route.get_by_text("Whose token this is").first.click()
    route.get_by_role("button", name="Try it out").click()
    route.get_by_role("button", name="Execute").click()
    expect(route.locator(".live-responses-table")).to_contain_text('"scope": "host"', timeout=SLOW)
