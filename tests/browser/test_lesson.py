"""A whole lesson on its pages, as a teacher and thirty pupils see it: from the evening before to the grades."""

import csv
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.support.browser import PHONE, SLOW, OpenPage, board, fits, live, number, scored, submit
from tests.support.scenario.deployment import HOST_TOKEN, Deployment
from tests.support.services import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DESKTOP, PROJECTOR = ViewportSize(width=1280, height=800), ViewportSize(width=1920, height=1080)
PUPILS = 30
ROSTER = "Ada;1815\nBen;1816\nCleo;1817"
GRADES = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Arena (102)\n"
    '"Lovelace, Ada",11,1815,ada,7b,\n"Byron, Ben",12,1816,ben,7b,\n"Nobody, Nell",13,1999,nell,7b,\n'
)
WORDS = ("a dog", "a lost pet", "the garden gate", "a child waiting", "rain and mud", "walking home")


class Pupil:
    """One of those who are here by plain requests: the forms of the pages, from the same address as everybody."""

    def __init__(self, arena: Deployment, name: str) -> None:
        self.name = name
        headers = {"Origin": arena.url, "Accept": "text/html"}
        self.browser = httpx.Client(base_url=arena.url, headers=headers, follow_redirects=True, timeout=60)

    def join(self, code: str) -> int:
        return self.browser.post("/join", data={"code": code, "name": self.name}).status_code

    def move(self, round_: str, words: str) -> int:
        return self.browser.post(f"{round_}/moves", data={"move": words}).status_code


class Lesson:
    """The teacher's page, the wall, and the pupils: in browsers by their name, the others as a crowd."""

    def __init__(self, open_page: OpenPage, arena: Deployment) -> None:
        self.open_page, self.arena = open_page, arena
        self.teacher = open_page("/sign-in", viewport=DESKTOP, accept_downloads=True)
        self.pupils: dict[str, Page] = {}
        self.crowd: list[Pupil] = []

    def evening_before(self) -> None:
        """A draft of a competition, a roster with its cards, a draft of a round."""
        page = self.teacher
        page.get_by_label("Your key").fill(HOST_TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Name").fill("Thursday, third lesson")
        page.get_by_label("A draft: nobody can join before you publish it").check()
        page.get_by_role("button", name="Create").click()
        page.get_by_label("Game").select_option(label="Condense")
        page.get_by_label("Title").fill("The lost dog")
        page.get_by_label("Add a packaged passage").select_option(
            page.get_by_role("option", name=re.compile(r"^The lost dog \(easy\)")).get_attribute("value")
        )
        passage = page.get_by_label("Passages", exact=True)
        expect(passage).to_have_value(re.compile("^The little dog"), timeout=SLOW)
        self.passage = passage.input_value()
        page.get_by_label("Minutes until it closes").fill("10")
        page.get_by_role("button", name="Keep as a draft").click()
        expect(page.get_by_text("opens when you open it")).to_be_visible()
        self.code = page.locator(".invite .code").inner_text()
        page.get_by_role("link", name="See to the players").click()
        page.get_by_label("Names, one on each line").fill(ROSTER)
        page.get_by_role("button", name="Look at it first").click()
        page.get_by_role("button", name="Add them and make the cards").click()
        self.keys = {name: key_on(page.locator(".name-cards li", has_text=name)) for name in ("Ada", "Ben", "Cleo")}
        self.home()

    def home(self) -> None:
        """The page of the competition, by its links."""
        self.teacher.get_by_role("link", name="Competitions").click()
        self.teacher.get_by_role("link", name="Thursday, third lesson").first.click()
        live(self.teacher)

    def people(self) -> None:
        self.teacher.get_by_role("link", name="See to the players").click()

    def begins(self) -> None:
        """The wall, then everybody within a minute: by a card, by the code on a phone, and the crowd."""
        self.teacher.get_by_role("button", name="Publish the competition").click()
        self.wall = self.on_the_wall()
        expect(self.wall.get_by_text("with the code " + self.code)).to_be_visible()
        began = time.monotonic()
        for name in ("Ada", "Ben"):
            self.pupils[name] = self.signed_in(self.keys[name], DESKTOP)
        self.pupils["Pia"] = self.joined("Pia")
        self.crowd = [Pupil(self.arena, f"Pupil {n}") for n in range(PUPILS - 4)]
        with ThreadPoolExecutor(8) as class_:
            assert set(class_.map(lambda pupil: pupil.join(self.code), self.crowd)) == {200}
        assert time.monotonic() - began < 60
        expect(self.wall.get_by_text(f"{PUPILS} players have joined")).to_be_visible(timeout=SLOW)

    def on_the_wall(self) -> Page:
        with self.teacher.expect_popup() as opened:
            self.teacher.get_by_role("button", name="Open the wall").click()
        opened.value.set_viewport_size(PROJECTOR)
        live(opened.value)
        return opened.value

    def signed_in(self, key: str, size: ViewportSize) -> Page:
        page = self.open_page("/", viewport=size)
        page.get_by_role("link", name="Sign in with your key").click()
        page.get_by_label("Your key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        live(page)
        return page

    def joined(self, name: str) -> Page:
        page = self.open_page("/", viewport=PHONE)
        page.get_by_label("Join code").fill(self.code.lower())
        page.get_by_label("Your name in the game").fill(name)
        page.get_by_role("button", name="Join").click()
        live(page)
        return page

    def plays(self) -> None:
        """The round opens on every page by itself; everybody moves, and the wall counts."""
        self.teacher.get_by_role("button", name="Open round 1", exact=True).click()
        for page in self.pupils.values():
            page.get_by_role("link", name="The lost dog").click(timeout=SLOW)
            expect(page.get_by_text(self.passage)).to_be_visible()
            live(page)
        expect(self.wall.get_by_role("heading", level=1)).to_contain_text("The lost dog", timeout=SLOW)
        round_ = self.pupils["Ada"].url.partition(self.arena.url)[2]
        with ThreadPoolExecutor(8) as class_:
            sent = class_.map(lambda n: self.crowd[n].move(round_, f"{WORDS[n % 6]} {n}"), range(len(self.crowd)))
            for name, words in (("Ada", "a lost dog came home"), ("Ben", "tax law"), ("Pia", "a pet came back")):
                submit(self.pupils[name], words)
            assert set(sent) == {200}
        for page in self.pupils.values():
            scored(page)
        fits(self.pupils["Pia"])
        moved = f"{PUPILS - 1} players have moved"
        expect(self.teacher.get_by_text(moved, exact=False)).to_be_visible(timeout=SLOW)
        expect(self.teacher.get_by_text("Nothing waits for the judge pocket.")).to_be_visible(timeout=SLOW)
        expect(self.wall.locator(".places .top-three").first).to_be_visible(timeout=SLOW)
        expect(self.pupils["Ada"].locator("[data-placed]")).to_contain_text(f"of {PUPILS - 1}.", timeout=SLOW)

    def late_and_lost(self) -> None:
        """Somebody comes late; somebody's browser forgot who they are; somebody is sent out and comes back."""
        late = self.pupils["Lena"] = self.joined("Lena")
        submit(late, "looking for a dog")
        scored(late)
        self.people()
        self.change("Ben")
        self.teacher.get_by_role("button", name="New key Ben").click()
        key = key_on(self.teacher.locator(".name-cards li", has_text="Ben"))
        expect(self.pupils["Ben"].get_by_role("heading", name="You are signed out")).to_be_visible(timeout=SLOW)
        self.pupils["Ben"] = self.signed_in(key, PHONE)
        expect(self.pupils["Ben"].get_by_text("tax law").first).to_be_visible()

        self.teacher.get_by_role("link", name="Players").click()
        self.teacher.get_by_role("button", name="Remove Lena").click()
        expect(late.get_by_text("The host has removed this player")).to_be_visible(timeout=SLOW)
        self.teacher.get_by_role("button", name="Readmit Lena").click()
        expect(self.teacher.get_by_role("button", name="Remove Lena")).to_be_visible()
        late.reload()
        expect(late.get_by_text("looking for a dog").first).to_be_visible()
        live(late)
        self.home()

    def change(self, name: str) -> None:
        self.teacher.get_by_role("listitem").filter(has_text=name).get_by_text("Change").click()

    def frozen(self) -> None:
        """What comes while the boards are frozen nobody else sees before they go on."""
        ada, pia = self.pupils["Ada"], self.pupils["Pia"]
        self.teacher.get_by_role("button", name="Freeze the boards").click()
        for page in (ada, pia):
            expect(page.get_by_text("The host has frozen the board")).to_be_visible(timeout=SLOW)
        before = board(ada).all_inner_texts()
        better = "The little dog had been gone for three days"
        submit(pia, better)
        expect(pia.locator("#score")).to_contain_text("three days", timeout=SLOW)
        scored(pia)
        assert board(ada).all_inner_texts() == before
        self.teacher.get_by_role("button", name="Unfreeze the boards").click()
        expect(ada.get_by_text("The host has frozen the board")).to_have_count(0, timeout=SLOW)

    def ends(self) -> None:
        """A minute more, then the end: the wall and every page say so."""
        timer = self.pupils["Ada"].get_by_role("timer")
        before = seconds(timer)
        self.teacher.get_by_role("button", name="+1 min round 1").click()
        eventually(lambda: seconds(timer) > before, what="a minute more")
        live(self.teacher)
        assert seconds(timer) - before <= 60
        self.teacher.get_by_role("button", name="Close round 1", exact=True).click()
        expect(self.wall.get_by_text("Ended")).to_be_visible(timeout=SLOW)
        for page in self.pupils.values():
            expect(page.locator(".state")).to_contain_text("closed at", timeout=SLOW)

    def revealed(self) -> None:
        """The best three, from the third to the first, on the wall; and on the pupils' pages, with the words."""
        self.teacher.get_by_text("Reveal moves round 1").click()
        self.teacher.get_by_label("Whose moves").select_option(label="the best three")
        self.teacher.get_by_label("With names").check()
        self.teacher.get_by_role("button", name="Reveal round 1").click()
        best = board(self.pupils["Ada"]).first
        name = best.get_by_role("rowheader").inner_text().removesuffix("you").strip()
        bits = best.locator(".bits").inner_text()
        expect(self.wall.get_by_text("What the best wrote")).to_be_visible(timeout=SLOW)
        for _ in range(3):
            self.wall.keyboard.press("Space")
        first = self.wall.get_by_role("heading", name=re.compile("^1st"))
        expect(first).to_contain_text(name)
        expect(first).to_contain_text(f"{bits} bits")
        for page in self.pupils.values():
            expect(page.get_by_role("heading", name="What others wrote")).to_be_visible(timeout=SLOW)
        fits(self.pupils["Pia"])

    def practised(self) -> None:
        ada = self.pupils["Ada"]
        before = board(ada).all_inner_texts()
        ada.get_by_role("link", name="Practise").click()
        expect(ada.get_by_role("heading", name="Practice: the round has ended")).to_be_visible()
        submit(ada, "a dog that found its way")
        expect(ada.locator("#score")).to_contain_text("The round has ended: this does not count.", timeout=SLOW)
        scored(ada)
        assert board(ada).all_inner_texts() == before

    def graded(self, folder: Path) -> None:
        """The file has everybody's best as the board shows it; the course's own file gets it by the roster's ids."""
        page = self.teacher
        with page.expect_download() as coming:
            page.get_by_role("link", name="Everybody’s best in each round").click()
        coming.value.save_as(folder / "results.csv")
        with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            best = {row["player"]: row["best_bits"] for row in csv.DictReader(file)}
        assert len(best) == PUPILS
        assert "Cleo" not in best, "she was on the roster and did not come"
        for name in ("Ada", "Ben", "Pia", "Lena"):
            own = self.pupils[name].locator("tr.own .bits").inner_text()
            assert abs(float(best[name]) - number(own)) <= 0.05, name
        grades = folder / "grades.csv"
        grades.write_text(GRADES)
        page.get_by_role("link", name="Fill in a grade export of Canvas or Moodle").click()
        page.get_by_label("The grade export (CSV)").set_input_files(grades)
        page.get_by_role("button", name="Look at it first").click()
        expect(page.get_by_text("2 lines of the file are a player’s.")).to_be_visible()
        expect(page.get_by_text("Nobody, Nell")).to_be_visible()
        page.get_by_label("Column", exact=True).select_option("Arena (102)")
        page.get_by_label("What goes into the column").select_option("the best in round 1: The lost dog")
        with page.expect_download() as filled:
            page.get_by_role("button", name="Download the filled file").click()
        filled.value.save_as(grades)
        ada, ben, _ = GRADES.splitlines()[1:]
        assert grades.read_text() == GRADES.replace(ada, ada + best["Ada"]).replace(ben, ben + best["Ben"])


def key_on(card: Locator) -> str:
    return card.locator(".key").inner_text()


def seconds(timer: Locator) -> int:
    found = re.search(r"(\d+):(\d\d)", timer.inner_text())
    assert found
    return 60 * int(found[1]) + int(found[2])


def test_a_lesson_from_the_evening_before_to_the_grades(open_page: OpenPage, arena: Deployment, tmp_path: Path) -> None:
    lesson = Lesson(open_page, arena)
    try:
        given(lesson, tmp_path)
    finally:
        for pupil in lesson.crowd:
            pupil.browser.close()


def given(lesson: Lesson, folder: Path) -> None:
    lesson.evening_before()
    lesson.begins()
    lesson.plays()
    lesson.late_and_lost()
    lesson.frozen()
    lesson.ends()
    lesson.revealed()
    lesson.practised()
    lesson.graded(folder)
