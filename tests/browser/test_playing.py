"""A player's way: join, read, submit, see the score and its tokens, see the board change."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SLOW, OpenPage, board, come, join, live, number, scored, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game, answer

pytestmark = pytest.mark.slow


def test_a_class_plays_and_sees_the_board_change_live(open_page: OpenPage, game: Game) -> None:
    ada, bob = open_page(), open_page()
    join(ada, game, "Ada")
    join(bob, game, "Bob")
    live(bob)
    expect(ada.locator("blockquote")).to_have_text(PASSAGE)
    expect(board(bob)).to_have_text(["Nobody yet."])

    submit(ada, "lighthouse sailors waiting for the boats")
    score = scored(ada)

    line = board(bob).filter(has_text="Ada")
    expect(line).to_be_visible(timeout=SLOW)
    assert number(line.locator(".bits").inner_text()) == score
    expect(line).not_to_have_class("own")
    expect(board(ada).filter(has_text="Ada")).to_have_class("own", timeout=SLOW)
    expect(board(ada).filter(has_text="Ada")).to_contain_text("you")


def test_a_score_shows_the_tokens_that_it_came_from(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "the lighthouse sailors")
    score = scored(page)

    tokens = page.locator(".tokens .token")
    assert page.locator(".tokens").text_content() == PASSAGE
    bits = [number(each) for each in tokens.evaluate_all("all => all.map(one => one.dataset.bits)")]
    assert sum(bits) == pytest.approx(score, abs=0.005 * len(bits))
    assert any(bit > 0.05 for bit in bits)

    page.get_by_text("As a table").click()
    rows = page.locator("#score .bits-table tbody tr")
    expect(rows).to_have_count(len(bits))
    cells = [number(each) for each in rows.first.locator("td").all_inner_texts()]
    assert cells[0] - cells[1] == pytest.approx(cells[2], abs=0.011)
    expect(page.locator(".sides")).to_contain_text("Topic: lighthouse sailors")


def test_words_that_were_taken_out_are_struck_out(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "tide sailors boats")
    scored(page)
    said = page.locator(".said")
    assert [each.strip() for each in said.locator("del").all_inner_texts()] == ["tide", "boats"]
    expect(said.locator("dd").first).to_have_text("tide sailors boats")
    expect(said.locator("dd").nth(1)).to_have_text("sailors")


def test_a_move_of_nothing_but_words_of_the_passage_scores_nothing(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "The tide came in")
    assert scored(page) == 0
    expect(page.get_by_text("none of your words were left")).to_be_visible()


def test_a_move_over_the_limit_is_shown_as_cut(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "one two three four five six seven eight nine ten eleven twelve thirteen fourteen")
    scored(page)
    assert page.locator("#score .beyond").inner_text().endswith("fourteen")
    expect(page.get_by_text("The end of the move was over the limit.")).to_be_visible()


def test_earlier_moves_stay_listed_and_can_be_looked_at(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "lighthouse")
    first = scored(page)
    submit(page, "sailors waiting")
    expect(page.locator(".said dd").first).to_have_text("sailors waiting", timeout=SLOW)
    scored(page)
    expect(page.locator(".mine li")).to_have_count(2)
    page.reload()
    page.get_by_role("link", name="lighthouse").click()
    expect(page.get_by_role("heading", name="A move of Ada")).to_be_visible()
    assert scored(page) == first


def test_a_game_of_three_passages_shows_three_parts(open_page: OpenPage, arena: Deployment) -> None:
    passages = ["A soup of beans and salt.", "Bread, milk, two onions.", "Roast fish with rice, or pie."]
    game = Game.make(arena, game="synthesize", passages=passages)
    page = open_page()
    join(page, game, "Ada")
    submit(page, "kitchen dinner food")
    score = scored(page)
    assert page.locator(".tokens").all_text_contents() == passages
    parts = [number(each.removesuffix(" bits")) for each in page.locator(".part h3 .bits").all_inner_texts()]
    assert sum(parts) == pytest.approx(score, abs=0.002)


def test_attempts_are_counted_down_and_the_last_refusal_is_in_words(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, attempts=1)
    page = open_page()
    join(page, game, "Ada")
    expect(page.locator(".attempts")).to_have_text("1 of 1 attempt left")
    submit(page, "lighthouse")
    scored(page)
    expect(page.locator(".attempts")).to_have_text("0 of 1 attempt left")
    submit(page, "sailors")
    expect(page.locator("#move-error")).to_have_text("The one attempt of this round is used.")
    expect(page.get_by_label("Your words")).to_have_value("sailors")


@pytest.mark.parametrize(
    ("move", "complaint"),
    [
        ("", "The move is empty."),
        (" \n ", "The move is empty."),
        ("é" * 5000, "10,000 bytes long"),
        ("a\x07b", "U+0007"),
    ],
    ids=["empty", "white space", "too long", "control character"],
)
def test_a_bad_move_is_refused_in_words_and_the_text_is_kept(
    open_page: OpenPage, game: Game, move: str, complaint: str
) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, move)
    expect(page.locator("#move-error")).to_contain_text(complaint)
    assert page.get_by_label("Your words").input_value() == move
    expect(page.get_by_label("Your words")).to_be_focused()
    expect(page.locator("[data-submission]")).to_have_count(0)


def test_a_paused_round_says_so_at_once_and_keeps_the_text(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    live(page)
    page.get_by_label("Your words").fill("lighthouse")
    with game.arena.client() as host:
        answer(host.post(f"/rounds/{game.round['id']}:pause"))
    expect(page.locator(".state")).to_contain_text("paused", timeout=SLOW)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#move-error")).to_contain_text("The host has paused the round")
    expect(page.get_by_label("Your words")).to_have_value("lighthouse")


def test_whoever_waits_for_a_round_sees_it_when_it_opens(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena)
    with arena.client() as host:
        answer(host.post(f"/rounds/{game.round['id']}:close"))
        page = open_page(f"/join/{game.competition['code']}")
        page.get_by_label("Your name in the game").fill("Ada")
        page.get_by_role("button", name="Join").click()
        expect(page.locator(".badge")).to_have_text("closed")
        live(page)
        answer(host.post(f"/rounds/{game.round['id']}:open"))
        expect(page.locator(".badge")).to_have_text("open", timeout=SLOW)


def test_the_page_works_without_scripts(open_page: OpenPage, game: Game) -> None:
    page = open_page(java_script_enabled=False)
    come(page, game)
    submit(page, "lighthouse sailors")
    for _ in range(10):  # a slow judge: the page says so, and loading it again shows the score
        if page.locator("[data-settled]").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    scored(page)
    submit(page, "")
    expect(page.locator("#move-error")).to_have_text("The move is empty.")


def test_the_board_marks_bots(open_page: OpenPage, game: Game) -> None:
    with game.join("Robby", "bot") as robby:
        answer(robby.post(game.submissions, params={"wait": 30}, json={"move": "sea"}), 201)
    page = open_page()
    join(page, game, "Ada")
    expect(board(page).filter(has_text="Robby")).to_contain_text("bot")


def _direction(page: Page, selector: str) -> Any:
    return page.locator(selector).first.evaluate("element => getComputedStyle(element).direction")


def test_right_to_left_passages_read_from_right_to_left(open_page: OpenPage, arena: Deployment) -> None:
    passage = "הסירות חזרו לנמל לפני עלות השחר, ורק אחת חסרה."
    game = Game.make(arena, passages=[passage])
    page = open_page()
    join(page, game, "שרה")
    assert _direction(page, "blockquote") == "rtl"
    submit(page, "ים ולילה")
    scored(page)
    assert _direction(page, ".tokens") == "rtl"
    assert page.locator(".tokens").text_content() == passage
    expect(board(page).filter(has_text="שרה")).to_be_visible(timeout=SLOW)
