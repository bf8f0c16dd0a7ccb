"""What the page says of words while they are typed: how many tokens, what is cut and struck, what would be refused."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import SLOW, OpenPage, come, join
from tests.support.scenario.deployment import PASSAGE, Deployment, Game

pytestmark = pytest.mark.slow


def typing(open_page: OpenPage, arena: Deployment, game: str, words: str, **round_: Any) -> tuple[Page, Locator]:
    """A page on which these words are typed, and what it says of them."""
    made = Game.make(arena, game=game, **round_)
    page = open_page()
    come(page, made)
    page.get_by_label("Your words").press_sequentially(words)
    return page, page.locator("form.move .preview")


def test_condense_counts_strikes_and_cuts(open_page: OpenPage, arena: Deployment) -> None:
    taken = PASSAGE.split()[1]
    page, told = typing(
        open_page, arena, "condense", f"{taken} ships, and more and more and more words than there may be"
    )
    expect(told).to_contain_text("of 10 tokens", timeout=SLOW)
    expect(told.locator("del").first).to_have_text(taken)
    expect(told.locator("del.beyond")).to_contain_text("there may be")
    expect(told).to_contain_text("Struck words are taken out. The end is over the limit.")
    page.get_by_label("Your words").fill("")
    expect(told).to_be_empty()


def test_words_typed_before_the_script_was_there_are_previewed_and_kept(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    held: list[Route] = []
    page.route("**/static/moves.js", lambda route: held.append(route))
    with page.expect_request("**/static/moves.js"):
        page.reload(wait_until="commit")
    page.get_by_label("Your words").fill("lighthouse sailors")
    assert held
    for route in held:
        route.continue_()
    expect(page.locator("form.move .preview")).to_contain_text("of 10 tokens", timeout=SLOW)
    page.unroute("**/static/moves.js")
    page.reload()
    expect(page.get_by_label("Your words")).to_have_value("lighthouse sailors")


@pytest.mark.parametrize(
    ("game", "passages", "limit", "struck"),
    [
        ("contrast", [PASSAGE, "The court rose at noon."], 10, ["tide", "court"]),
        ("synthesize", [PASSAGE, "Beans and salt.", "The court rose."], 10, ["tide", "court"]),
        ("two_ways", [PASSAGE, "The court rose at noon."], 10, []),
        ("horizon", [PASSAGE], 5, []),
    ],
)
def test_other_games_count_strike_and_cut_by_their_own_rules(
    open_page: OpenPage, arena: Deployment, game: str, passages: list[str], limit: int, struck: list[str]
) -> None:
    _, told = typing(
        open_page, arena, game, "tide court ships bring many more words than you may say altogether", passages=passages
    )
    expect(told).to_contain_text(f"of {limit} tokens", timeout=SLOW)
    expect(told.locator("del.beyond")).to_contain_text("altogether", timeout=SLOW)
    taken_out = " ".join(told.locator("del:not(.beyond)").all_inner_texts())
    assert taken_out.split() == struck


def test_of_words_that_are_all_taken_out_it_says_that_nothing_is_left(open_page: OpenPage, arena: Deployment) -> None:
    _, told = typing(open_page, arena, "condense_strict", PASSAGE.split()[1])
    expect(told).to_contain_text("Nothing of it would be left.", timeout=SLOW)


@pytest.mark.parametrize(
    ("game", "words", "said", "right", "round_"),
    [
        ("etaoin_shrdlu", "boat", "Only the small letters", "a shore", {}),
        ("order_the_proof", "a b", "Write the four capital letters", "D C B A", {"passages": []}),
        ("guess_the_surprise", "100 bits", "Write digits alone", "100", {}),
        ("find_the_surprise", "zebra", "That does not stand in the passage.", PASSAGE.split()[1], {}),
    ],
)
def test_a_condition_that_would_fail_is_told_and_goes_away(
    open_page: OpenPage, arena: Deployment, game: str, words: str, said: str, right: str, round_: dict[str, Any]
) -> None:
    page, told = typing(open_page, arena, game, words, **round_)
    expect(told.locator(".warning")).to_contain_text(said, timeout=SLOW)
    page.get_by_label("Your words").fill(right)
    expect(told.locator(".warning")).to_have_count(0, timeout=SLOW)
    expect(told).to_contain_text("tokens.")


def test_a_further_move_is_looked_at_in_its_play(open_page: OpenPage, arena: Deployment) -> None:
    page, _ = typing(open_page, arena, "find_the_surprise", PASSAGE.split()[1])
    page.get_by_role("button", name="Submit").click()
    field = page.get_by_label("Your next words")
    expect(field).to_be_visible(timeout=SLOW)
    field.press_sequentially(PASSAGE.split()[1])
    told = page.locator("form.move:has(#next-move) .preview")
    expect(told).to_contain_text("apart from the first", timeout=SLOW)
