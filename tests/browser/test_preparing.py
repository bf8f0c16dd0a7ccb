"""A host prepares a round the evening before, on the clock of the class, and runs it in the morning."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SLOW, OpenPage, join, live, sign_in_as_host
from tests.support.scenario.deployment import HOST_TOKEN, Deployment, Game, answer

pytestmark = pytest.mark.slow

ZONE = "America/New_York"


def _rounds_of(arena: Deployment, game: Game) -> list[dict[str, object]]:
    with arena.client(HOST_TOKEN) as host:
        items: list[dict[str, object]] = answer(host.get(f"/competitions/{game.competition['id']}/rounds"))["items"]
    return items


def _competition(page: Page, game: Game) -> None:
    sign_in_as_host(page)
    page.goto(f"/host/competitions/{game.competition['id']}")


def test_a_round_is_prepared_on_the_clock_of_the_class(open_page: OpenPage, arena: Deployment, game: Game) -> None:
    page = open_page(timezone_id=ZONE)
    _competition(page, game)
    page.get_by_text("New round").click()
    expect(page.locator("form [data-zone]").last).to_have_text(ZONE)
    expect(page.get_by_label("Seconds for each move")).to_be_hidden()
    page.get_by_label("Game").select_option("debate")
    expect(page.get_by_label("Seconds for each move")).to_be_visible()
    page.get_by_label("Game").select_option("condense")
    page.get_by_label("Title").fill("Warming up")
    page.get_by_label("Passages", exact=True).fill("word " * 600)
    expect(page.locator("[data-look]")).to_contain_text("too long for this judge", timeout=SLOW)
    page.get_by_label("Add a packaged passage").select_option("story-1")
    expect(page.get_by_label("Passages", exact=True)).to_have_value(re.compile("^The little dog"), timeout=SLOW)
    expect(page.locator("[data-look]")).to_contain_text("tokens; the judge reads")
    page.get_by_label("Opens at").fill("2031-03-10T08:30")
    page.get_by_label("Minutes until it closes").last.fill("20")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_role("link", name="2. Warming up")).to_be_visible()
    made = _rounds_of(arena, game)[1]
    assert (made["opens_at"], made["closes_at"]) == ("2031-03-10T12:30:00Z", "2031-03-10T12:50:00Z"), "summer time"

    page.get_by_role("link", name="Edit round 2").click()
    expect(page.get_by_label("Opens at")).to_have_value("2031-03-10T08:30")
    page.get_by_label("Opens at").fill("2031-03-09T02:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text(f"Clocks in {ZONE} skip 02:30")
    expect(page.get_by_label("Opens at")).to_have_value("2031-03-09T02:30")
    expect(page.get_by_label("Opens at")).to_be_focused()
    page.get_by_label("Opens at").fill("2031-03-09T03:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Publish round 2")).to_be_visible()
    assert _rounds_of(arena, game)[1]["opens_at"] == "2031-03-09T07:30:00Z"


def test_a_class_sees_the_round_go_on_longer_and_when_it_ended(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, closes_at=(datetime.now(UTC) + timedelta(minutes=3)).isoformat())
    host, ada = open_page(), open_page()
    join(ada, game, "Ada")
    live(ada)
    timer = ada.get_by_role("timer")
    expect(timer).to_contain_text("2:", timeout=SLOW)
    _competition(host, game)
    host.get_by_role("button", name="+5 min round 1").click()
    expect(timer).to_contain_text("7:", timeout=SLOW)
    ada.get_by_label("Your words").fill("half a thought")
    host.get_by_role("link", name="Edit round 1").click()
    host.get_by_label("Passages", exact=True).fill("Another text, which nobody has seen so far.")
    host.get_by_role("button", name="Save").click()
    expect(ada.locator("#move-error")).to_contain_text("The host has changed this round", timeout=SLOW)
    expect(ada.get_by_label("Your words")).to_have_value("half a thought")
    expect(ada.get_by_role("button", name="Submit")).to_be_disabled()
    ada.reload()
    expect(ada.locator("blockquote")).to_have_text("Another text, which nobody has seen so far.")
    live(ada)
    ada.get_by_label("Your words").fill("")
    host.get_by_role("button", name="Close round 1").click()
    expect(ada.locator(".state")).to_contain_text("closed at", timeout=SLOW)
    host.get_by_text("Open again round 1").click()
    host.get_by_label("Minutes until it closes").first.fill("2")
    host.get_by_role("button", name="Open round 1").click()
    expect(ada.get_by_role("timer")).to_contain_text("1:", timeout=SLOW)


def _titles(arena: Deployment, game: Game) -> list[object]:
    return [each["title"] for each in _rounds_of(arena, game)]


def _in_order(page: Page, *titles: str) -> None:
    expect(page.locator("[data-order] .grow > a")).to_contain_text(
        [f"{number}. {title}" for number, title in enumerate(titles, start=1)], timeout=SLOW
    )


def _middle(page: Page, title: str) -> tuple[float, float]:
    """Where the handle of a round is."""
    box = page.locator("[data-order]", has_text=title).locator("[data-handle]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _by_finger(page: Page, *points: tuple[float, float]) -> None:
    finger = page.context.new_cdp_session(page)
    for kind, point in zip(("touchStart", *["touchMove"] * (len(points) - 1)), points, strict=True):
        touched = [{"x": point[0], "y": point[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_rounds_are_put_in_order_by_mouse_finger_and_keys(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, title="One")
    with arena.client(HOST_TOKEN) as host:
        for title in ("Two", "Three", "Four"):
            body = {"game": "condense", "passages": ["A text."], "title": title, "draft": True}
            answer(host.post(f"/competitions/{game.competition['id']}/rounds", json=body), 201)
    page = open_page(has_touch=True, viewport={"width": 390, "height": 1400})
    _competition(page, game)
    live(page)

    (x, y), (_, above) = _middle(page, "Four"), _middle(page, "Two")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, above - 30, steps=5)
    expect(page.locator("[data-drop-before]")).to_contain_text("Two")
    page.mouse.up()
    _in_order(page, "One", "Four", "Two", "Three")
    assert _titles(arena, game) == ["One", "Four", "Two", "Three"]

    (x, y), (_, below) = _middle(page, "One"), _middle(page, "Three")
    _by_finger(page, (x, y), (x, y + 40), (x, below + 60))
    _in_order(page, "Four", "Two", "Three", "One")

    (x, y), (_, above) = _middle(page, "One"), _middle(page, "Four")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, above, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    page.get_by_text("More round 4").click()
    page.get_by_role("button", name="Move up round 4").press("Enter")
    _in_order(page, "Four", "Two", "One", "Three")
    assert _titles(arena, game) == ["Four", "Two", "One", "Three"], "what was let go of by a key stayed where it was"
