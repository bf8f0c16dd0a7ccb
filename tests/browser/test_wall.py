"""A wall from the first player to the reveal, as a class sees it from its seats; and a host's page that keeps up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Route, ViewportSize, expect

from tests.support.browser import SLOW, OpenPage, Watch, answers, fits, live, sign_in_as_host
from tests.support.scenario.deployment import PASSAGE, Deployment, answer
from tests.support.services import eventually

pytestmark = pytest.mark.slow

Json = dict[str, Any]

PROJECTOR, SMALL = ViewportSize(width=1920, height=1080), ViewportSize(width=1280, height=720)
NARROW = ViewportSize(width=360, height=740)
#: Of what is read from ten metres: the text, how large it is, whether all of it is on the screen.
FROM_AFAR = """elements => elements.map((element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const inside = left >= 0 && top >= 0 && right <= innerWidth + 1 && bottom <= innerHeight + 1;
  return [element.textContent.trim(), parseFloat(getComputedStyle(element).fontSize), inside];
})"""
NAMES = ("Ada", "Bob", "Cleo", "Dot")


def competition(arena: Deployment) -> Json:
    with arena.client() as host:
        return answer(host.post("/competitions", json={"name": "Thursday class", "bots": "separate"}), 201)


def opened(host: Page, made: Json) -> Page:
    """The wall, opened by its button; it comes in a window of its own."""
    sign_in_as_host(host)
    host.goto(f"/host/competitions/{made['id']}")
    with host.context.expect_page() as coming:
        host.get_by_role("button", name="Open the wall").click()
    wall = coming.value
    expect(wall).to_have_url(f"/show/{made['code']}")
    live(wall)
    return wall


def read_from_afar(wall: Page, *selectors: str) -> None:
    """Everything of it is on the screen; on a projector it is 48 pixels and more."""
    for size in (SMALL, PROJECTOR):
        wall.set_viewport_size(size)
        for selector in selectors:
            found = wall.locator(selector).evaluate_all(FROM_AFAR)
            assert found, selector
            assert all(inside for _, _, inside in found), (size, found)
            assert size == SMALL or all(height >= 48 for _, height, _ in found), found


def on_a_phone(wall: Page) -> None:
    wall.set_viewport_size(NARROW)
    fits(wall)
    wall.set_viewport_size(PROJECTOR)


def join(arena: Deployment, made: Json, name: str) -> Json:
    with arena.client(None) as anyone:
        return answer(anyone.post("/competitions:join", json={"code": made["code"], "name": name}), 201)


def move(arena: Deployment, joined: Json, round_: Json, text: str) -> None:
    with arena.client(joined["token"]) as player:
        answer(player.post(f"/rounds/{round_['id']}/submissions", json={"move": text}, params={"wait": 30}), 201)


def new_round(arena: Deployment, made: Json) -> Json:
    """One that lasts ten minutes."""
    closes = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    with arena.client() as host:
        body = {"game": "condense", "passages": [PASSAGE], "judge": "pocket", "closes_at": closes}
        return answer(host.post(f"/competitions/{made['id']}/rounds", json=body), 201)


def test_a_wall_from_the_first_player_to_the_reveal(open_page: OpenPage, arena: Deployment) -> None:
    made, host = competition(arena), open_page(viewport=PROJECTOR)
    wall = opened(host, made)
    expect(wall.locator(".joined strong")).to_have_text("0")
    read_from_afar(wall, ".with strong", ".where strong", ".joined strong")
    on_a_phone(wall)
    players = {name: join(arena, made, name) for name in NAMES}
    expect(wall.locator(".joined strong")).to_have_text("4", timeout=SLOW)
    round_ = new_round(arena, made)
    expect(wall.get_by_role("heading", level=1)).to_contain_text("Condense", timeout=SLOW)
    for name, text in zip(NAMES, ("lighthouse sailors", "ships", "sea", "quantum tax law"), strict=True):
        move(arena, players[name], round_, text)
    expect(wall.locator("[data-player]")).to_have_count(4, timeout=SLOW)
    read_from_afar(wall, ".with strong", ".top-three", ".countdown", "h1")
    before = wall.locator(".countdown").inner_text()
    expect(wall.locator(".countdown")).not_to_have_text(before)
    on_a_phone(wall)
    wall.get_by_role("button", name="Hide names").click()
    expect(wall.locator("[data-player] .name").first).to_have_text("Player 2", timeout=SLOW)
    with arena.client() as api:
        answer(api.post(f"/rounds/{round_['id']}:close"))
        expect(wall.get_by_text("Ended")).to_be_visible(timeout=SLOW)
        answer(api.post(f"/rounds/{round_['id']}:reveal", json={"which": "top", "names": True}))
    expect(wall.get_by_text("What the best wrote")).to_be_visible(timeout=SLOW)
    steps(wall)
    new_round(arena, made)
    expect(wall.get_by_role("heading", level=1)).to_contain_text("Round 2", timeout=SLOW)
    host.reload()
    host.get_by_role("button", name="End the wall").click()
    expect(wall.get_by_text("There is nothing at this address.")).to_be_visible(timeout=SLOW)


def steps(wall: Page) -> None:
    """By keys, by a click, by the button, and back; the page comes back to where it was."""
    words = wall.locator(".words:visible")
    expect(words).to_have_count(0)
    wall.keyboard.press("Space")
    expect(words).to_have_text("lighthouse sailors")
    expect(wall.locator(".step:visible h2")).to_contain_text("Player 1")
    expect(wall.locator(".step:visible .tokens .token").first).to_be_visible()
    read_from_afar(wall, ".step:not([hidden]) h2", ".words:visible")
    on_a_phone(wall)
    wall.keyboard.press("ArrowRight")
    expect(wall.locator("[data-announce]")).to_contain_text("2nd: Player")
    wall.mouse.click(900, 700)
    expect(wall.locator(".step:visible h2")).to_contain_text("1st")
    wall.keyboard.press("PageUp")
    expect(wall.locator(".step:visible h2")).to_contain_text("2nd")
    wall.reload()
    expect(wall.locator(".step:visible h2")).to_contain_text("2nd")
    for _ in range(2):
        wall.get_by_role("button", name="Next").click()
    expect(wall.locator(".step:visible [data-player]")).to_have_count(4)


def test_a_late_scene_hides_nobody_who_joined_meanwhile(open_page: OpenPage, arena: Deployment) -> None:
    """The scene was asked for before somebody joined and comes after their number was shown."""
    made = competition(arena)
    wall = opened(open_page(), made)
    held: list[tuple[Route, APIResponse]] = []
    wall.route("**/scene", lambda route: held.append((route, route.fetch())), times=1)
    wall.evaluate("window.dispatchEvent(new Event('online'))")  # a new stream, and everything is looked at again
    while not held:
        wall.wait_for_timeout(50)
    join(arena, made, "Ada")
    expect(wall.locator(".joined strong")).to_have_text("1", timeout=SLOW)
    with wall.expect_event("requestfinished", lambda request: request.url.endswith("/scene")):
        for route, of_before in held:
            route.fulfill(response=of_before)
    wall.wait_for_timeout(500)  # by then it is shown, unless a newer one was
    expect(wall.locator(".joined strong")).to_have_text("1", timeout=SLOW)


def test_a_hosts_page_keeps_up_and_loses_nothing_that_is_typed(open_page: OpenPage, arena: Deployment) -> None:
    made, host = competition(arena), open_page()
    sign_in_as_host(host)
    round_ = new_round(arena, made)
    host.goto(f"/host/competitions/{made['id']}")
    live(host)
    host.get_by_text("New round").click()
    host.get_by_label("Passages").fill("Half a sentence that")
    host.get_by_label("A line for everyone").fill("Five min")
    host.get_by_text("More round 1").click()
    move(arena, join(arena, made, "Ada"), round_, "lighthouse sailors")
    expect(host.get_by_role("link", name="lighthouse sailors")).to_be_visible(timeout=SLOW)
    expect(host.get_by_text("1 player has moved")).to_be_visible(timeout=SLOW)
    expect(host.get_by_text("1 player.")).to_be_visible(timeout=SLOW)
    expect(host.get_by_label("Passages")).to_have_value("Half a sentence that")
    expect(host.get_by_label("A line for everyone")).to_have_value("Five min")
    expect(host.get_by_role("button", name="Duplicate round 1")).to_be_visible()
    expect(host.get_by_label("A line for everyone")).not_to_be_focused()


def test_an_announcement_reaches_players_and_the_wall(open_page: OpenPage, arena: Deployment) -> None:
    made, host, ada = competition(arena), open_page(), open_page()
    wall = opened(host, made)
    ada.goto(f"/join/{made['code']}")
    ada.get_by_label("Your name in the game").fill("Ada")
    ada.get_by_role("button", name="Join").click()
    live(ada)
    host.get_by_label("A line for everyone").fill("Five minutes left!")
    host.get_by_role("button", name="Announce").click()
    for page in (ada, wall):
        expect(page.locator("[data-announce-news]")).to_contain_text("Five minutes left!", timeout=SLOW)
        expect(page.locator("[data-news]").get_by_text("Five minutes left!")).to_be_visible()
    host.get_by_role("button", name="Take back").click()
    for page in (ada, wall):
        expect(page.locator("[data-news]")).to_have_count(0, timeout=SLOW)


def test_a_wall_outlives_its_server(open_page: OpenPage, arena: Deployment, watch: Watch) -> None:
    watch.forgiven += ["Failed to load resource: net::", "Failed to load resource: the server responded"]
    made = competition(arena)
    wall = opened(open_page(), made)
    wall.evaluate("window.same = true")
    api = next(process for process in arena.processes if "api" in process.command)
    api.kill()
    expect(wall.locator("[data-connection]")).to_contain_text("Connection lost", timeout=SLOW)
    api.start()
    eventually(lambda: answers(arena), what="the API")
    join(arena, made, "Ada")
    expect(wall.locator(".joined strong")).to_have_text("1", timeout=SLOW)
    live(wall)
    assert wall.evaluate("window.same"), "nobody loaded it anew, which would end the full screen"
