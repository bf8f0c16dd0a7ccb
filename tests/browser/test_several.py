"""Games of several moves and of two players on the page: meeting, taking turns, leaving, what is shown and what not."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.arena.ratings import Outcome, rate
from server.web.rendering import shown_bits
from tests.support.browser import SLOW, OpenPage, board, come, go_on, scored, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game, answer

pytestmark = pytest.mark.slow


def debate(arena: Deployment, **round_: Any) -> Game:
    return Game.make(arena, game="debate", passages=["Tea is better than coffee."], **round_)


def meet(ada: Page, bob: Page) -> None:
    """From the round's page to a play of the two, Ada to move."""
    ada.get_by_role("button", name="Play").click()
    expect(ada.get_by_text("You wait for somebody to take the other seat.")).to_be_visible(timeout=SLOW)
    bob.get_by_role("button", name="Play against Ada").click(timeout=SLOW)
    expect(bob.get_by_text("It is your opponent's turn.")).to_be_visible(timeout=SLOW)


def argue(ada: Page, bob: Page) -> float:
    """To the end of a debate: what it gave Ada."""
    for number in (1, 2):
        go_on(ada, f"Tea calms the mind {number}.")
        expect(bob.locator(".story")).to_contain_text(f"Tea calms the mind {number}.", timeout=SLOW)
        go_on(bob, f"Coffee wakes you up {number}.")
    gained = scored(ada)
    assert gained == -scored(bob)
    return gained


def standing(page: Page) -> list[list[str]]:
    """The board: rank, name, plays, rating."""
    return [[cell.split("\n")[0] for cell in row.locator("td, th").all_inner_texts()] for row in board(page).all()]


def test_two_meet_and_have_a_rating_after_three_debates(open_page: OpenPage, arena: Deployment) -> None:
    """They argue to the end, then Ada gives one up, then Bob, who hears what that did to his rating."""
    game = debate(arena)
    ada, bob = open_page(), open_page()
    come(ada, game, "Ada")
    come(bob, game, "Bob")
    meet(ada, bob)
    gained = argue(ada, bob)
    for leaves in (ada, bob):
        for page in (ada, bob):
            page.goto(f"/rounds/{game.round['id']}")
        expect(board(ada)).to_have_count(2)
        meet(ada, bob)
        leaves.get_by_role("button", name="Give up").click()
        expect(leaves.get_by_text("The player gave the play up.")).to_be_visible(timeout=SLOW)
    first = Outcome("Ada", "Bob") if gained > 0 else Outcome("Bob", "Ada")
    outcomes = [first, Outcome("Bob", "Ada"), Outcome("Ada", "Bob")]
    after, before = rate(outcomes), rate(outcomes[:2])["Bob"]
    order = sorted(after, key=lambda name: -after[name].points)
    ada.goto(f"/rounds/{game.round['id']}")
    assert [[line[0], line[1].split()[0], *line[2:]] for line in standing(ada)] == [
        [str(rank), name, "3", shown_bits(after[name].value)] for rank, name in enumerate(order, start=1)
    ]
    expect(ada.get_by_text("The rating says how strong a player surely is")).to_be_visible()
    told = (
        f"Your rating was {shown_bits(before.value)} before this play and is {shown_bits(after['Bob'].value)} after it."
    )
    expect(bob.get_by_text(told)).to_be_visible()


def test_who_stays_sees_that_the_other_gave_up_and_keeps_what_was_typed_until_then(
    open_page: OpenPage, arena: Deployment
) -> None:
    game = debate(arena)
    ada, bob = open_page(), open_page()
    come(ada, game, "Ada")
    come(bob, game, "Bob")
    ada.get_by_role("button", name="Play").click()
    bob.get_by_role("button", name="Play against Ada").click(timeout=SLOW)
    field = ada.get_by_label("Your next words")
    expect(field).to_be_visible(timeout=SLOW)
    field.fill("half a thought")
    ada.wait_for_timeout(4_000)  # longer than one look of the page takes
    expect(field).to_have_value("half a thought")
    bob.get_by_role("button", name="Give up").click()
    expect(bob.get_by_text("The player gave the play up.")).to_be_visible(timeout=SLOW)
    expect(ada.get_by_text("White did not play to the end.")).to_be_visible(timeout=SLOW)
    assert scored(ada) == 0


def test_a_challenge_can_be_taken_back(open_page: OpenPage, arena: Deployment) -> None:
    game = debate(arena, attempts=1)
    ada = open_page()
    come(ada, game, "Ada")
    ada.get_by_role("button", name="Play").click()
    ada.get_by_role("button", name="Take the challenge back").click(timeout=SLOW)
    expect(ada.get_by_text("1 of 1 attempt left")).to_be_visible(timeout=SLOW)


def test_somebody_is_invited_by_name(open_page: OpenPage, arena: Deployment) -> None:
    game = debate(arena)
    ada, bob = open_page(), open_page()
    come(bob, game, "Bob")
    come(ada, game, "Ada")
    ada.get_by_label("Opponent", exact=True).fill("nobody")
    ada.get_by_role("button", name="Play").click()
    expect(ada.get_by_text("There is no player 'nobody' in this competition.")).to_be_visible(timeout=SLOW)
    ada.get_by_label("Opponent", exact=True).fill("bob")
    ada.get_by_label("Your seat").select_option("Black")
    game.join("Cleo")
    expect(ada.locator("#names option[value=Cleo]")).to_be_attached(timeout=SLOW)
    expect(ada.get_by_label("Opponent", exact=True)).to_have_value("bob")
    ada.get_by_role("button", name="Play").click()
    expect(bob.locator(".challenges")).to_contain_text("Ada invites you. Free: White", timeout=SLOW)
    bob.get_by_role("button", name="Play against Ada").click()
    expect(ada.get_by_label("Your next words")).to_be_visible(timeout=SLOW)


def test_a_step_that_does_not_hold_is_asked_for_again_in_the_games_words(
    open_page: OpenPage, arena: Deployment
) -> None:
    game = Game.make(arena, game="horizon", passages=[PASSAGE])
    page = open_page()
    come(page, game, "Ada")
    submit(page, "xyzzy qqq")
    refused = page.locator(".turn.said")
    expect(refused).to_contain_text("This does not follow from what stands before it.", timeout=SLOW)
    expect(refused).to_contain_text("attempt 2 of 11")
    expect(page.get_by_label("Your words")).to_be_hidden()
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)


def test_a_player_who_sees_no_registers_sees_what_is_revealed(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, game="infill", passages=[PASSAGE + " " + PASSAGE])
    page = open_page()
    come(page, game, "Ada")
    assert page.locator("blockquote").count() == 0
    revealed = page.get_by_role("region", name="What you are shown").locator(".words").all_inner_texts()
    assert len(revealed) == 2
    assert all(text.strip() in PASSAGE + " " + PASSAGE for text in revealed)
    submit(page, " and waited")
    scored(page)


def test_a_round_that_a_judge_writes_for_opens_by_itself(open_page: OpenPage, arena: Deployment) -> None:
    source = '# Ghost\n#\n# Likely?\n\nassign(s=generate("It was", 12))\nreveal(s)\nelicit(x, 8)\nreward(xed(s | x))\n'
    with arena.client() as host:
        digest = answer(host.post("/games", json={"source": source}), 200, 201)["digest"]
    game = Game.make(arena, game=digest, passages=[])
    page = open_page()
    come(page, game, "Ada")
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("region", name="What you are shown")).to_be_visible()
    submit(page, "night")
    scored(page)
