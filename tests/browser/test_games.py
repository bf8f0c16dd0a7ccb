"""The pages of games in a browser: a host brings a game, mends it, changes it; a class reads and plays it."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import CONTRAST, LONG, PHONE, OpenPage, fits, join, scored, sign_in_as_host, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game, answer

pytestmark = pytest.mark.slow


def _program(title: str, note: str = "Or loud.") -> str:
    return f"""# {title}
#
# Say something short. {note}
#
# **How it is scored.** The bits that you save, **doubled**.

assign(s=story())
elicit(x, 10)
reward(xed(s | x) * 2)
"""


def _editor(page: Page) -> None:
    sign_in_as_host(page)
    page.get_by_role("link", name="Games", exact=True).click()
    page.get_by_role("link", name="Bring a game of your own").click()


def _write(page: Page, source: str) -> None:
    page.get_by_role("textbox", name="Program").fill(source)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_host_brings_a_game_mends_it_and_a_class_plays_it(open_page: OpenPage, game: Game, scripts: bool) -> None:
    title = f"Twice {secrets.token_hex(4)}"
    host, ada = open_page(), open_page()
    sign_in_as_host(host)
    state = host.context.storage_state()
    host = open_page(java_script_enabled=scripts, storage_state=state)
    host.goto("/host/games/new")
    _write(host, _program(title).replace("story()", "storyy()").replace(", 10)", ", 1000)"))
    host.get_by_role("button", name="Check").click()
    errors = host.get_by_role("alert").locator("li")
    expect(errors).to_have_count(2)
    expect(errors.first).to_contain_text("Line 7, column 10: found the name storyy")
    expect(errors.first.locator("mark")).to_have_text("storyy")
    expect(errors.last.locator("mark")).to_have_text("1000")
    _write(host, _program(title))
    host.get_by_role("button", name="Check").click()
    expect(host.get_by_role("status").filter(has_text="No errors.")).to_contain_text("version 1")
    expect(host.locator(".prose strong")).to_have_text(["How it is scored.", "doubled"])
    host.get_by_role("button", name="Save").click()
    expect(host.get_by_role("heading", name=title)).to_be_visible()

    host.goto(f"/host/competitions/{game.competition['id']}")
    host.get_by_text("New round").click()
    name = title.lower().replace(" ", "_")
    host.get_by_label("Game", exact=True).select_option(name)
    host.get_by_label("Passages").fill(PASSAGE)
    host.get_by_role("button", name="Open the round").click()
    expect(host.get_by_role("link", name=f"2. {title}")).to_be_visible()
    join(ada, game, "Ada")
    ada.get_by_role("navigation", name="Rounds").get_by_role("link", name=title).click()
    expect(ada.get_by_role("heading", name=title)).to_be_visible()
    submit(ada, "lighthouse sailors")
    scored(ada)


def test_a_new_version_begins_with_the_source_and_both_can_be_read(open_page: OpenPage) -> None:
    title = f"Versions {secrets.token_hex(4)}"
    page = open_page()
    _editor(page)
    _write(page, _program(title))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="New version").click()
    expect(page.get_by_role("textbox", name="Program")).to_have_value(_program(title))
    _write(page, _program(title, "Or long."))
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".prose")).to_contain_text("Or long.")
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator(".prose")).not_to_contain_text("Or long.")
    page.get_by_role("button", name="Withdraw version 1").click()
    expect(page.get_by_text("This version is withdrawn")).to_be_visible()
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("This version is withdrawn")).to_have_count(0)


def test_a_player_reads_what_each_game_is(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    page.get_by_role("link", name="Games", exact=True).click()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Contrast"))
    expect(card).to_contain_text("2 passages, 1 player.")
    card.locator("summary").click()
    expect(card.get_by_text("What helps both alike scores nothing.")).to_be_visible()
    card.get_by_role("link", name="Contrast").click()
    expect(page.locator(".source .lines")).to_contain_text("reward(black, xent(s2 | ")
    expect(page.locator("main").get_by_role("button")).to_have_count(0)


def test_the_numbers_of_lines_are_not_copied_with_the_program(open_page: OpenPage) -> None:
    page = open_page("/games/arrow_of_time")
    expect(page.locator(".source .numbers")).to_contain_text("13")
    lines = page.locator(".source .lines").inner_text()
    assert (
        lines.rstrip().splitlines()[-1]
        == 'reward(xent(x, judge="backward") - xent(x), label="Backwards, less forwards")'
    )
    tops = [
        page.locator(f".source .{each}").evaluate("element => element.getBoundingClientRect().height")
        for each in ("numbers", "lines")
    ]
    assert tops[0] == pytest.approx(tops[1], abs=25), "a number stands at its line"


def test_no_page_of_games_is_wider_than_a_phone(open_page: OpenPage, arena: Deployment) -> None:
    name = f"wide-{secrets.token_hex(4)}"
    with arena.client() as host:
        answer(host.post("/games", json={"source": _program(LONG * 3, LONG * 5), "name": name}), 201)
    page = open_page(viewport=PHONE)
    sign_in_as_host(page)
    for path in ("/games", f"/games/{name}", "/host/games/new", f"/host/games/new?of={name}"):
        page.goto(path)
        fits(page)
    _write(page, f"assign(s={'x' * 600}, t=storyy())")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert").locator("li")).to_have_count(2)
    page.get_by_text("The program with numbered lines").click()
    fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    _editor(page)
    _write(page, "assign(s=storyy())")
    page.get_by_role("button", name="Check").click()
    page.get_by_text("The program with numbered lines").click()
    assert page.evaluate(CONTRAST) == []
    page.goto("/games/condense")
    assert page.evaluate(CONTRAST) == []
