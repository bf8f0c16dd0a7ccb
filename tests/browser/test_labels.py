"""What a score says of itself, read as a player reads it: every label, every sign, every number, against the API's
events and against a play without a server."""

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from judge.judge import Judge
from tests.support.browser import SLOW, OpenPage, come, go_on, number, scored, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game
from xentarena import play

pytestmark = pytest.mark.slow

COURT = "The court rose, and by night the jury had reached its verdict on the captain."
RECIPE = (
    "Put the beans into a pot with cold water and salt. Let them boil for an hour, then add two onions, a bay leaf and "
    "some oil. Taste it, and serve it hot with bread."
)
DIGITS = 0.005  # half of the last digit of a token's bits
MILLIBIT = 0.001

READ = """() => [...document.querySelectorAll("#score .part")].map((part) => ({
  title: part.querySelector("h3").firstChild.textContent.trim(),
  total: part.querySelector("h3 .bits")?.textContent.replace(" bits", "") ?? null,
  sides: part.querySelector(".sides")?.textContent.replace(/\\s+/g, " ").trim() ?? null,
  tokens: [...part.querySelectorAll(".tokens .token")].map((each) => {
    const style = getComputedStyle(each);
    const line = style.textDecorationLine === "none" ? "none" : style.textDecorationStyle;
    return {text: each.textContent, style: each.className.split(" ")[1].split("-")[0], line, bits: each.dataset.bits};
  }),
  heads: [...part.querySelectorAll("thead th")].map((each) => each.textContent.trim()),
  rows: [...part.querySelectorAll("tbody tr")].map((row) =>
    [...row.querySelectorAll("td")].map((each) => each.textContent)),
  sums: [...part.querySelectorAll("tfoot td")].map((each) => each.textContent),
}))"""


@dataclass(frozen=True)
class Read:
    """A part of a score as it stands on the page. bits, texts: of its tokens. columns, sums: of its table."""

    title: str
    total: float
    sides: str | None
    heads: list[str]
    bits: list[float]
    texts: list[str]
    columns: list[list[float]]
    sums: list[float]


@pytest.fixture(scope="module")
def pocket() -> Judge:
    return Judge.load("pocket", device="cpu")


def parts(page: Page) -> list[Read]:
    """The parts of the score on the page, each true in itself."""
    return [_part(part) for part in page.evaluate(READ)]


def _part(part: dict[str, Any]) -> Read:
    bits = [_token(each) for each in part["tokens"]]
    sums = [number(each) for each in part["sums"]]
    columns = [[number(cell) for cell in column] for column in zip(*part["rows"], strict=True)]
    assert columns[-1] == bits, "the table says what the map says"
    for column, total in zip(columns, sums, strict=True):
        assert sum(column) == pytest.approx(total, abs=DIGITS * len(column))
    assert part["total"] is None or number(part["total"]) == sums[-1]
    texts = [each["text"] for each in part["tokens"]]
    return Read(part["title"], sums[-1], part["sides"], part["heads"], bits, texts, columns, sums)


def _token(token: dict[str, str]) -> float:
    """The bits of a token, which its style and its line say too."""
    bits = number(token["bits"])
    told = "gain" if bits > 0.049 else "loss" if bits < -0.049 else "even"
    assert token["style"] == told or abs(bits) == pytest.approx(0.05, abs=0.006), token
    assert token["line"] == {"gain": "solid", "loss": "dotted", "even": "none"}[token["style"]], token
    return bits


def agree(page: Page, shown: list[Read], seat: str, offline: dict[str, float]) -> None:
    """Page, API and a play without a server say the same."""
    score = scored(page)
    assert sum(part.total for part in shown) == pytest.approx(score, abs=MILLIBIT / 2 * (len(shown) + 1) + 1e-9)
    assert offline[seat] == pytest.approx(score, abs=2 * MILLIBIT)
    identifier = page.locator("[data-submission]").get_attribute("data-submission")
    answer = page.request.get(f"/api/v1/submissions/{identifier}").json()
    assert answer["bits"] == pytest.approx(score, abs=1e-9)
    rewards = [event for event in answer["events"] if event["type"] == "reward" and event["seat"] == seat]
    told = [token for reward in rewards for token in reward["tokens"]]
    assert sum(token["bits"] for token in told) == pytest.approx(score, abs=MILLIBIT)
    assert [text for part in shown for text in part.texts] == [
        token["text"].lstrip() or token["text"] for token in told
    ]
    read = [bits for part in shown for bits in part.bits]
    assert read == pytest.approx([token["bits"] for token in told], abs=DIGITS + 1e-9)
    _costs_agree(shown, rewards)


def _costs_agree(shown: list[Read], rewards: list[dict[str, Any]]) -> None:
    """What a text cost on either side stands in the table, and is what was measured."""
    measured = {
        (term["prefix_after"], round(sum(token["after"] for token in term["tokens"]), 3))
        for reward in rewards
        for term in reward["terms"]
    }
    costs = {cost for _, cost in measured}
    for part in shown:
        for side in part.sums[:-1]:
            assert any(side == pytest.approx(cost, abs=MILLIBIT) for cost in costs), (part, costs)
        if len(part.sums) == 3:
            assert abs(part.sums[0] - part.sums[1]) == pytest.approx(abs(part.total), abs=1.6 * MILLIBIT)


def legend(page: Page) -> None:
    """The legend's own tokens look as those of the map do."""
    lines = page.locator("#score .legend li")
    expect(lines).to_have_count(2)
    for line, says, style in zip(lines.all(), ("adds to", "takes from"), ("gain", "loss"), strict=True):
        expect(line).to_contain_text(f"{says} your score")
        names = line.locator(".token").evaluate_all("all => all.map((each) => each.className)")
        assert {name.split()[1].split("-")[0] for name in names} == {style}


def played(open_page: OpenPage, arena: Deployment, game: str, passages: list[str], moves: list[str]) -> Page:
    """A page on which these moves are made in a game of one player."""
    page = open_page()
    come(page, Game.make(arena, game=game, passages=passages), "Ada")
    submit(page, moves[0])
    for move in moves[1:]:
        go_on(page, move)
        expect(page.locator(".story")).to_contain_text(move, timeout=SLOW)
    scored(page)
    return page


def test_contrast_says_which_passage_became_easier_and_which_harder(
    open_page: OpenPage, arena: Deployment, pocket: Judge
) -> None:
    passages, moves = [PASSAGE, COURT], ["a storm, sailors in danger"]
    page = played(open_page, arena, "contrast", passages, moves)
    easier, harder = shown = parts(page)
    assert [part.title for part in shown] == ["Passage 1, made easier", "Passage 2, made harder"]
    assert [part.heads for part in shown] == [["Token", "Before", "After", "Score"]] * 2
    assert easier.total == pytest.approx(easier.sums[0] - easier.sums[1], abs=2 * MILLIBIT)
    assert harder.total == pytest.approx(harder.sums[1] - harder.sums[0], abs=2 * MILLIBIT)
    assert "bits after “Topic: ⏎ ---⏎”" in (easier.sides or "")
    legend(page)
    agree(page, shown, "black", play("contrast", passages, moves, judge=pocket).rewards)


def test_two_ways_shows_both_directions(open_page: OpenPage, arena: Deployment, pocket: Judge) -> None:
    passages, moves = [PASSAGE, COURT], ["Then the court went to sea."]
    page = played(open_page, arena, "two_ways", passages, moves)
    shown = parts(page)
    assert [part.title for part in shown] == ["From the first to the second", "From the second to the first"]
    assert [part.heads for part in shown] == [["Token", "Before", "After", "Score"]] * 2
    assert "".join(shown[0].texts) == "".join(COURT.split())
    assert "".join(shown[1].texts) == "".join(PASSAGE.split())
    for part in shown:
        assert part.total == pytest.approx(part.sums[0] - part.sums[1], abs=2 * MILLIBIT)
    legend(page)
    agree(page, shown, "black", play("two_ways", passages, moves, judge=pocket).rewards)


def test_horizon_says_after_what_the_second_step_was_measured(
    open_page: OpenPage, arena: Deployment, pocket: Judge
) -> None:
    moves = ["and then", "and the boats"]
    page = played(open_page, arena, "horizon", [PASSAGE], moves)
    (part,) = shown = parts(page)
    assert part.title == "The second step: after the passage, less without it"
    assert part.heads == [
        "Token",
        "After “It was a day like any other.”",
        "After “The tide came in over the flats …”",
        "Score",
    ]
    assert part.total == pytest.approx(part.sums[1] - part.sums[0], abs=2 * MILLIBIT)
    assert "Your words make it" not in page.locator("#score").inner_text(), "no words stood before what was measured"
    legend(page)
    agree(page, shown, "black", play("horizon", [PASSAGE], moves, judge=pocket).rewards)


def test_debate_shows_each_side_the_same_numbers_with_its_own_sign(
    open_page: OpenPage, arena: Deployment, pocket: Judge
) -> None:
    claim = ["Tea is better than coffee."]
    moves = {"black": ["Tea calms the mind.", "It is healthy."], "white": ["Coffee wakes you.", "It is tasty."]}
    game = Game.make(arena, game="debate", passages=claim)
    pages = {"black": open_page(), "white": open_page()}
    for seat, page in pages.items():
        come(page, game, seat.capitalize())
    pages["black"].get_by_label("Your seat").select_option("black")
    pages["black"].get_by_role("button", name="Play").click()
    pages["white"].get_by_role("button", name="Play against Black").click(timeout=SLOW)
    for turn in range(2):
        for seat in pages:
            go_on(pages[seat], moves[seat][turn])
    offline = play("debate", claim, moves, judge=pocket).rewards
    for seat, page in pages.items():
        scored(page)
        shown = parts(page)
        costs, less = ("what it costs", "less what it costs")[:: 1 if seat == "black" else -1]
        assert [part.title for part in shown] == [
            f"After the debate: “false”, {costs}",
            f"After the debate: “true”, {less}",
            f"Before the debate: “true”, {costs}",
            f"Before the debate: “false”, {less}",
        ]
        for part in shown:
            assert (part.total < 0) == part.title.endswith("less what it costs")
        legend(page)
        agree(page, shown, seat, offline)


def test_odd_one_out_tells_the_two_texts_apart(open_page: OpenPage, arena: Deployment, pocket: Judge) -> None:
    passages, moves = [RECIPE, PASSAGE], ["The tide came in over the flats before the"]
    page = played(open_page, arena, "odd_one_out", passages, moves)
    whole, without = shown = parts(page)
    assert [part.title for part in shown] == ["The whole text", "Less the text without your stretch"]
    assert whole.total > 0 > without.total
    assert moves[0].replace(" ", "") in "".join(whole.texts)
    assert "".join(without.texts) == "".join(RECIPE.split())
    legend(page)
    agree(page, shown, "alice", play("odd_one_out", passages, moves, judge=pocket).rewards)
