"""Every page in every state: whose it is, where it is, and what has to be done there to see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, FilePayload, Page, expect

from server.http.requests import COOKIE
from tests.support.browser import SLOW
from tests.support.scenario.deployment import PASSAGE
from tests.support.stage import Stage


@dataclass(frozen=True)
class State:
    """who: a name of the stage's tokens, None for a visitor. path: with names of the stage's ids in it. shows: a
    selector of what makes it this state, waited for."""

    name: str
    who: str | None
    path: str
    shows: str
    act: Callable[[Page], None] | None = None

    def visit(self, page: Page, stage: Stage) -> None:
        page.goto(self.path.format(**stage.ids))
        if self.act:
            self.act(page)
        expect(page.locator(self.shows).first).to_be_visible(timeout=SLOW)
        page.wait_for_load_state()


@contextmanager
def page_of(browser: Browser, stage: Stage, who: str | None) -> Iterator[Page]:
    """A page in a session of its own, signed in as `who`."""
    context = browser.new_context(base_url=stage.arena.url)
    context.set_default_timeout(SLOW)
    if who:
        context.add_cookies([{"name": COOKIE, "value": stage.tokens[who], "url": stage.arena.url}])
    yield context.new_page()
    context.close()


def open_details(page: Page) -> None:
    """Everything that can be opened, one of each group."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for box in page.locator("[data-numbers]").all():
        box.check()


def _press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


def _another_name(page: Page) -> None:
    page.get_by_label("The player’s name").fill("Nobody")
    _press("Delete for good")(page)


def _wrong_code(page: Page) -> None:
    page.get_by_label("Join code").fill("NOSUCH")
    page.get_by_label("Your name in the game").fill("Ada")
    _press("Join")(page)


def _wrong_key(page: Page) -> None:
    page.get_by_label("Your key").fill("not a key")
    _press("Sign in")(page)


def _typing(words: str, label: str = "Your words") -> Callable[[Page], None]:
    return lambda page: page.get_by_label(label).press_sequentially(words)


def _refused(page: Page) -> None:
    page.get_by_label("Your words").fill("a\x07b")
    _press("Submit")(page)


def _reading(page: Page) -> None:
    page.get_by_label("The text").fill("The tide came in over the flats, naïve and slow.")
    page.get_by_label("The context").fill("A story about the sea.")
    page.get_by_label("Judge", exact=True).select_option("pocket")
    _press("Read it")(page)


def _sampling(page: Page) -> None:
    page.get_by_label("The text to go on with").fill("The tide came in over the flats, naïve and")
    page.get_by_label("Methods").fill("greedy top-p=0.9,temperature=1.2 beam=2")
    page.get_by_label("Tokens to write").fill("8")
    page.get_by_label("Judge", exact=True).select_option("pocket")
    _press("Write")(page)


def _experiment(**fields: str) -> Callable[[Page], None]:
    """One of several readings, by the names of its fields."""

    def act(page: Page) -> None:
        for name, value in fields.items():
            page.locator(f"[name={name}]").fill(value)
        page.get_by_label("Judge", exact=True).select_option("pocket")
        _press("Find out")(page)

    return act


def _too_long_to_read(page: Page) -> None:
    page.get_by_label("The text").fill("word " * 600)
    _press("Read it")(page)


def _roster(text: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_text("Add a roster").click()
        page.get_by_label("Names, one on each line").fill(text)
        _press("Look at it first")(page)

    return act


def _gradebook(page: Page) -> None:
    text = 'Student,ID,SIS Login ID,Xent Arena (1)\n    Points Possible,,,100\n"Nobody, Here",7,a@b.example,\n'
    file: FilePayload = {"name": "grades.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("The grade export (CSV)").set_input_files(file)
    _press("Look at it first")(page)


def _lost_key(page: Page) -> None:
    page.get_by_text("Change Forgetful").click()
    _press("New key Forgetful")(page)


def _nameless(page: Page) -> None:
    page.get_by_label("Name").fill("  ")
    _press("Create")(page)


def _nameless_team(page: Page) -> None:
    page.locator("#name").fill("  ")
    _press("Make it")(page)


def _wrong_round(page: Page) -> None:
    page.get_by_text("New round").click()
    page.get_by_label("Attempts of each player").fill("three")
    _press("Open the round")(page)


def _too_long(page: Page) -> None:
    page.get_by_label("Passages", exact=True).fill("word " * 600)


def _wall(page: Page) -> None:
    button = page.get_by_role("button", name="Open the wall")
    button.evaluate("button => (button.form.target = '_self')")
    button.click()


def _wall_reveals(page: Page) -> None:
    _wall(page)
    page.get_by_role("button", name="Next").click()


def _unsaid(page: Page) -> None:
    page.get_by_label("A line for everyone").fill("   ")
    _press("Announce")(page)


def _program(source: str, button: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_role("textbox", name="Program").fill(source)
        _press(button)(page)

    return act


GOOD = "# New one\n#\n# Say **something**.\n\nassign(s=story())\nelicit(x, 10)\nreward(xed(s | x))\n"
BAD = "assign(s=storyy())\nelicit(x, 1000)\n"
APPLY = "Apply the new scores"
STRUCK = f"{PASSAGE.split()[1]} ships, and more and more and more words than there may be"

DOORS = (
    State("front", None, "/", "#code"),
    State("front with a code", None, "/join/{lesson_code}", "#name"),
    State("front, wrong code", None, "/", "#code-error:not(:empty)", _wrong_code),
    State("front, signed in", "ada", "/", ".notice"),
    State("sign in", None, "/sign-in", "#key"),
    State("sign in, wrong key", None, "/sign-in", "#key-error:not(:empty)", _wrong_key),
    State("expired", "ghost", "/play", "h1"),
    State("nothing here", None, "/nothing-here", ".lead"),
    State("not for players", "ada", "/host", ".lead"),
    State("removed", "zoe", "/play", ".lead"),
    State("waiting to be let in", "patient", "/waiting", ".lead"),
    State("me", "ada", "/me", ".card"),
    State("the lab", "ada", "/lab", "math"),
    State("a reading", "host", "/lab", "#reading tbody tr", _reading),
    State("sampling", "ada", "/lab/sampling", "math"),
    State("samples", "host", "/lab/sampling", "#samples .cut", _sampling),
    State(
        "what a context tells",
        "host",
        "/lab/passages",
        "#found svg",
        _experiment(prefix="the sea", texts="The tide came in.\nGulls cried."),
    ),
    State("restricted answers", "host", "/lab/answers", "#found svg", _experiment(question="Is the sea wet?")),
    State(
        "implicit knowledge",
        "host",
        "/lab/pairs",
        "#found svg",
        _experiment(first="The sea is wet.", second="The sea is dry."),
    ),
    State("a reading that is refused", "host", "/lab", "form .error:not(:empty)", _too_long_to_read),
    State("me with my key", "ada", "/me", "#shown-key", _press("Show my key")),
)
ROUNDS = (
    State("no rounds", "lone", "/rounds", "[data-part] > p"),
    State("rounds", "ada", "/rounds", ".round-list"),
    State("rounds as a host", "host", "/host/competitions/{lesson}", ".rows"),
    State("a newcomer", "newcomer", "/rounds/{condense}", ".first-minute"),
    State("typing", "newcomer", "/rounds/{condense}", ".preview .beyond", _typing(STRUCK)),
    State("typing what fails", "newcomer", "/rounds/{finds}", ".preview .warning", _typing("zebra")),
    State("a refused move", "newcomer", "/rounds/{condense}", "#move-error:not(:empty)", _refused),
    State("queued", "ada", "/rounds/{queued}", ".submission.queued"),
    State("scored, with moves before", "ada", "/rounds/{condense}", ".mine li:nth-child(3)"),
    State("scored in several parts", "ada", "/rounds/{contrast}", ".score .sum"),
    State("scored after several moves", "ada", "/rounds/{finds}", ".submission.scored .story"),
    State("scored after reveals", "ada", "/rounds/{infill}", ".submission.scored"),
    State("awaiting the next move", "bob", "/rounds/{finds}", "#next-move"),
    State("typing the next move", "bob", "/rounds/{finds}", ".preview .warning", _typing("ox", "Your next words")),
    State("rejected", "dot", "/rounds/{finds}", ".submission.rejected"),
    State("broken off", "ada", "/rounds/{broken}", ".submission.void"),
    State("hidden", "dot", "/rounds/{condense}", ".submission .notice"),
    State("no attempts left", "ada", "/rounds/{once}", ".attempts"),
    State("paused", "ada", "/rounds/{paused}", ".badge.paused"),
    State("closed", "ada", "/rounds/{closed}", ".share"),
    State("closed and revealed", "ada", "/rounds/{revealed}", "[data-part$=others] ol"),
    State("under two judges", "ada", "/rounds/{revealed}", "[data-part$=others] table"),
    State("practice", "cleo", "/rounds/{revealed}", ".submission .tag"),
    State("a revealed move", "ada", "/rounds/{revealed}/moves/{move_of_bob}", ".submission.scored"),
    State("a long move", "bob", "/rounds/{condense}", "details.more"),
    State("scheduled", "newcomer", "/rounds/{scheduled}", ".badge.scheduled"),
    State("preparing", "newcomer", "/rounds/{preparing}", ".badge.preparing"),
    State("to be begun", "newcomer", "/rounds/{begins}", ".move button"),
    State("shown before a move", "newcomer", "/rounds/{infill}", ".shown"),
    State("a round as a host", "host", "/rounds/{condense}", ".play > .notice"),
    State("a submission", "ada", "/submissions/{scored}", ".submission.scored"),
    State("another's submission", "host", "/submissions/{scored}", ".submission.scored"),
)
TWO_SEATS = (
    State("challenges", "newcomer", "/rounds/{debate}", ".challenges .rows"),
    State("waiting for an opponent", "cleo", "/rounds/{debate}", ".challenges .told"),
    State("waiting in a play", "cleo", "/submissions/{waiting}", ".submission.awaiting_opponent"),
    State("the opponent's turn", "ada", "/submissions/{debating}", ".submission.awaiting_opponent"),
    State("your turn", "bob", "/submissions/{debating_of_bob}", "#next-move"),
    State("debated", "ada", "/submissions/{finished}", ".submission.scored"),
)
GAMES = (
    State("games", None, "/games", ".cards"),
    State("games as a host", "host", "/games", ".rows"),
    State("a game", "ada", "/games/condense", ".source"),
    State("a game of one's own", "host", "/games/{own_game}", ".rows"),
    State("a new game", "host", "/host/games/new", "#source"),
    State("a game with errors", "host", "/host/games/new", ".errors", _program(BAD, "Check")),
    State("a game without errors", "host", "/host/games/new", ".card .prose", _program(GOOD, "Check")),
    State("a new version", "host", "/host/games/new?of={own_game}", "#source"),
)
HOST = (
    State("competitions", "host", "/host", ".cards"),
    State("competitions, no name", "host", "/host", "#name-error:not(:empty)", _nameless),
    State("an empty competition", "host", "/host/competitions/{empty}", "details[open] #game"),
    State("what hosts did", "host", "/host/competitions/{lesson}/audit", ".audit"),
    State("players", "host", "/host/competitions/{lesson}/people", ".rows details"),
    State("before a reveal", "host", "/host/rounds/{revealed}/reveal", "main ol"),
    State("teams", "host", "/host/competitions/{lesson}/teams", "select"),
    State("a team of no name", "host", "/host/competitions/{lesson}/teams", ".error p", _nameless_team),
    State("players who wait", "host", "/host/competitions/{guarded}/people", "[data-part] .rows"),
    State("a wrong roster", "host", "/host/competitions/{lesson}/people", "#roster-error p", _roster("Ada")),
    State("a roster", "host", "/host/competitions/{lesson}/people", ".board", _roster("Eve;7\nשרה א;8")),
    State("a grade export", "host", "/host/competitions/{lesson}/gradebook", "#chosen"),
    State("a grade export that was read", "host", "/host/competitions/{lesson}/gradebook", "#column", _gradebook),
    State("a card", "host", "/host/competitions/{guarded}/people", ".name-cards svg", _lost_key),
    State("a removal", "host", "/host/competitions/{lesson}/people/since/{newcomer}", "main .rows"),
    State("a draft", "host", "/rounds/{draft}", ".state"),
    State("editing a draft", "host", "/host/rounds/{draft}/edit", "#library"),
    State("editing what is played", "host", "/host/rounds/{condense}/edit", "form #title"),
    State("looked at while typing", "host", "/host/rounds/{draft}/edit", "[data-look] .warning", _too_long),
    State("a wrong round", "host", "/host/competitions/{lesson}", "#round-error:not(:empty)", _wrong_round),
    State("a player to delete", "host", "/host/players/{bob}/delete", "#name"),
    State("another player's name", "host", "/host/players/{bob}/delete", "#delete-error:not(:empty)", _another_name),
)
AGAIN = (
    State("a round to score again", "host", "/host/rounds/{measured}/rescorings", ".rows"),
    State("scored again, not yet measured", "host", "/host/rescorings/{again_waits}", "[action$=drop]"),
    State("scored again, aside", "host", "/host/rescorings/{again_open}", "[action$=apply]"),
    State("not applied while open", "host", "/host/rescorings/{again_open}", ".error:not(:empty)", _press(APPLY)),
    State("ratings by other scores", "host", "/host/rescorings/{again_rated}", "td.bits"),
    State("scores that were applied", "host", "/host/rescorings/{again_applied}", "td.bits"),
    State("scores that cannot be compared", "host", "/host/rescorings/{again_otherwise}", "main li"),
    State("scores that were dropped", "host", "/host/rescorings/{again_dropped}", "[data-part] p"),
    State("a score of another judge", "gil", "/rounds/{replaced}", ".submission.scored"),
)
WALL = (
    State("a wall before a round", "host", "/host/competitions/{empty}", ".lobby svg", _wall),
    State("a wall with a round", "host", "/host/competitions/{lesson}", ".tables", _wall),
    State("a wall that reveals", "host", "/host/competitions/{shown}", ".words", _wall_reveals),
    State("a refused announcement", "host", "/host/competitions/{empty}", "#announcement-error:not(:empty)", _unsaid),
)
STATES = DOORS + ROUNDS + TWO_SEATS + GAMES + HOST + AGAIN + WALL
