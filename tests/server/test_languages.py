"""The pages in other languages: no sentence is missing, and a page speaks the language that is asked for.

After sentences have changed, `python -m tests.server.test_languages` brings the files of the languages up to date: new
messages stand there without a translation, and those that are gone are taken out.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from games.sentences import say
from server.web import i18n
from tests.support.messages import catalog
from tests.support.pseudo import Marked, unmarked
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Class, RunningApp, new_class
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

TEMPLATES = Path(i18n.__file__).parent / "templates"

OTHERS = [language for language in i18n.LANGUAGES if language != i18n.SOURCE]
_PLACES = re.compile(r"%\(\w+\)s|\{\w*(?:![rs])?(?::[^}]*)?\}")


def _file(language: str) -> Catalog:
    with (i18n.LOCALES / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language)


def test_of_every_sentence_with_a_plural_it_is_told_what_is_counted() -> None:
    """By itself it is what stands first in its tag, and a text there breaks the page, but in English."""
    begins = re.compile(r"\{% trans (\w+)[^%]*%\}(?:(?!endtrans).)*?\{% pluralize ?(\w*) %\}", re.DOTALL)
    found = {
        (template.name, counted or first)
        for template in TEMPLATES.rglob("*.html")
        for first, counted in begins.findall(template.read_text(encoding="utf-8"))
    }
    assert len(found) > 10
    assert {name for _, name in found} == {"count"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated(language: str) -> None:
    known, wanted = _file(language), catalog()
    assert not [message.id for message in wanted if message.id and message.id not in known], "run this module"
    assert not [message.id for message in known if message.id and message.id not in wanted], "run this module"
    assert not [message.id for message in known if message.id and (message.fuzzy or not all(_texts(message.string)))]


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_places(language: str) -> None:
    for message in _file(language):
        if not message.id:
            continue
        one, *many = [set(_PLACES.findall(text)) for text in _texts(message.id)]
        told_one, *told_many = [set(_PLACES.findall(text)) for text in _texts(message.string)]
        assert told_one in (one, *many), message.id  # of one thing the number need not be said
        assert all(told in (many or [one]) for told in told_many), message.id


def _texts(of: str | Sequence[str] | None) -> Sequence[str]:
    """Of a message, or of its translation: one text, or one for each number."""
    return [of or ""] if of is None or isinstance(of, str) else of


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page is in the language that marks its sentences."""
    monkeypatch.setattr(i18n, "translations", lambda language: Marked())


GAMES = {
    "condense": ([PASSAGE], ["7 tide", "x " * 40, ""]),
    "contrast": ([PASSAGE, PASSAGE.upper()], ["7"]),
    "which_is_likelier": (["The cat sat.", "The cat sat down."], ["1", "3"]),
    "etaoin_shrdlu": ([PASSAGE], ["Q", "no"]),
    "two_factors": ([], ["7", "0 0"]),
    "order_the_proof": ([], ["Z", "A B C D"]),
    "ten_questions": ([PASSAGE], ["12?"]),
}


@pytest.mark.parametrize("game", GAMES)
def test_a_round_says_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, house: RunningApp, game: str
) -> None:
    passages, moves = GAMES[game]
    lesson = new_class(house, PLAIN, game=game, passages=passages, attempts=3)
    visitor.join(lesson, "1")
    path = f"/rounds/{lesson.round_id}"
    assert unmarked(visitor.get(path).text) == []
    for move in moves:
        assert unmarked(visitor.send(f"{path}/preview", move=move).text) == []
        page = visitor.send(f"{path}/moves", move=move)
        assert unmarked(page.text) == []
    for each in ("state", "mine", "board"):
        assert unmarked(visitor.get(f"{path}/{each}").text) == []
    own = re.search(r"/submissions/\w+", page.text)
    assert own
    assert unmarked(visitor.get(own[0]).text) == []


@pytest.mark.slow
def test_a_round_of_two_says_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, house: RunningApp
) -> None:
    lesson = new_class(house, PLAIN, game="debate", passages=["7."], move_seconds=300)
    bob = lesson.join("2")
    visitor.join(lesson, "1")
    path = f"/rounds/{lesson.round_id}"
    assert unmarked(visitor.get(path).text) == []
    page = visitor.send(f"{path}/challenges", seat="black", invite="")
    assert unmarked(page.text) == []
    assert unmarked(visitor.get(path).text) == []
    bob.post(f"{path}/challenges", json={})
    page = visitor.get(page.url.path)
    assert unmarked(page.text) == []
    assert unmarked(visitor.send(f"{page.url.path}/moves", move="8").text) == []
    assert unmarked(visitor.send(f"{page.url.path}/resign").text) == []


@pytest.mark.parametrize(
    "path", ["/", "/join/NONE", "/sign-in", "/nothing", "/games", "/games/condense", "/me", "/rounds", "/rounds/rnd_0"]
)
def test_a_players_page_says_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, lesson: Class, path: str
) -> None:
    assert unmarked(visitor.get(path).text) == []
    visitor.join(lesson, "1")
    assert unmarked(visitor.get(path).text) == []


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/join", {"code": "", "name": ""}),
        ("/join", {"code": "NONE", "name": "1"}),
        ("/join", {"code": "CODE", "name": "1"}),
        ("/join", {"code": "CODE", "name": "\u200b"}),
        ("/join", {"code": "CODE", "name": "1" * 65}),
        ("/sign-in", {"key": ""}),
        ("/sign-in", {"key": "wrong"}),
        ("/me/key", {}),
        ("/host/competitions", {"name": "1"}),
        ("/rounds/ROUND/moves", {"move": "\x00"}),
        ("/rounds/ROUND/moves", {"move": "1" * 9000}),
        ("/rounds/ROUND/challenges", {}),
        ("/submissions/sub_0/moves", {"move": "1"}),
    ],
)
def test_a_refusal_says_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, lesson: Class, path: str, fields: dict[str, str]
) -> None:
    visitor.join(lesson, "1")
    code = {"CODE": lesson.competition["code"]}
    page = visitor.send(
        path.replace("ROUND", lesson.round_id), **{name: code.get(value, value) for name, value in fields.items()}
    )
    assert unmarked(page.text) == []


def test_a_hosts_pages_say_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, lesson: Class, house: RunningApp
) -> None:
    lesson.join("2").score(lesson.round_id, "11")
    visitor.sign_in(house.host)
    competition = f"/host/competitions/{lesson.id}"
    for path in ("/host", competition, "/host/games/new", "/host/games/new?of=condense", "/games/condense"):
        assert unmarked(visitor.get(path).text) == [], path
    for fields in ({"passages": ""}, {"minutes": "x"}, {"judges": "x"}, {"game": "none"}, {"judge": "none"}):
        page = visitor.send(f"{competition}/rounds", **({"game": "condense", "passages": PASSAGE} | fields))
        assert page.status_code == 422
        assert unmarked(page.text) == [], fields
    for source in ("elicit(", "# 1\nelicit(x, 3)\nreward(xent(x))\n", ""):
        assert unmarked(visitor.send("/host/games/check", source=source).text) == []
    for action in ("pause", "open", "close"):
        assert unmarked(visitor.send(f"/host/rounds/{lesson.round_id}/{action}").text) == []
        assert unmarked(visitor.get(f"/rounds/{lesson.round_id}").text) == []
    for which in ("", "top"):
        assert unmarked(visitor.send(f"/host/rounds/{lesson.round_id}/reveal", which=which).text) == []


def test_a_hosts_page_of_players_says_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, lesson: Class, house: RunningApp
) -> None:
    first, second = lesson.join("1"), lesson.join("2", kind="bot")
    visitor.sign_in(house.host)
    people = f"/host/competitions/{lesson.id}/people"
    house.host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": "approval"})
    lesson.join("3"), lesson.join("4")
    for path in (people, f"{people}/waiting", f"{people}/since/{first.id}", f"/host/competitions/{lesson.id}"):
        assert unmarked(visitor.get(path).text) == [], path
    rosters = ("", "5", "5\n5\n\x07\n\u200b\n6;7;8", "1", '5"6\n"7', "Name;?\n5;6", "\n".join(map(str, range(501))))
    for roster in rosters:
        assert unmarked(visitor.send(f"{people}/roster/preview", roster=roster).text) == [], roster
    assert unmarked(visitor.send(f"{people}/roster", roster="5\n6").text) == []
    since = answer(house.host.get(f"/competitions/{lesson.id}/players"))["items"][1]["joined_at"]
    visitor.send(f"{people}/remove", since=since, until=since)
    for action, name in (("key", ""), ("remove", ""), ("key", ""), ("readmit-as", "5"), ("rename", "")):
        assert unmarked(visitor.send(f"/host/players/{second.id}/{action}", name=name).text) == [], action
    guest = Visitor(house)
    for how in ("approval", "locked"):
        house.host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": how})
        assert unmarked(guest.join(lesson, f"9{how[0]}").text) == []
    guest.http.close()


def test_a_round_that_has_ended_says_nothing_that_cannot_be_translated(
    marked: None, visitor: Visitor, lesson: Class, house: RunningApp
) -> None:
    visitor.join(lesson, "1")
    lesson.join("2").score(lesson.round_id, "11")
    path = f"/rounds/{lesson.round_id}"
    assert unmarked(visitor.send(f"{path}/moves", move="7", practice="on").text) == []
    lesson.close()
    for names in (False, True):
        body = {"which": "all", "names": names}
        house.host.post(f"{path}:reveal", json=body)
        for fields in ({"practice": "on"}, {}):
            page = visitor.send(f"{path}/moves", move="7", **fields)
            assert unmarked(page.text) == []
        shown = re.search(rf"{path}/moves/\w+", page.text)
        assert shown
        for each in (shown[0], f"{path}/others", f"{path}/mine", "/rounds"):
            assert unmarked(visitor.get(each).text) == []
    house.host.post(f"{path}:reveal", json={"which": "below_own_best"})
    assert unmarked(visitor.get(f"{path}/others").text) == []


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de", "de"), ("de-CH, en;q=0.9", "de"), ("nl, fr;q=0.8, en;q=0.5", "fr"), ("fr;q=0.2, de;q=0.7", "de"),
        ("ja", "en"), ("", "en"), ("de;q=0, fr", "fr"), (";;q=,,*;q=x", "en"), ("en-GB, de", "en"),
    ],
)  # fmt: skip
def test_a_page_speaks_what_the_browser_prefers(visitor: Visitor, wanted: str, language: str) -> None:
    page = visitor.get("/", headers={"Accept-Language": wanted})
    assert f'<html lang="{language}">' in page.text


def test_a_chosen_language_stays_and_leads_back_to_the_page(visitor: Visitor, lesson: Class, house: RunningApp) -> None:
    visitor.join(lesson, "Ada")
    here = f"/rounds/{lesson.round_id}?a=b"
    origin = {"Origin": house.url, "Referer": f"{house.url}{here}"}
    page = visitor.http.post("/language", data={"language": "fr"}, headers=origin)
    assert page.url.raw_path.decode() == here
    assert '<html lang="fr">' in page.text
    assert '<html lang="fr">' in visitor.get("/me", headers={"Accept-Language": "de"}).text
    for nonsense in ("xx", "", "../en"):
        page = visitor.http.post("/language", data={"language": nonsense}, headers=origin)
        assert '<html lang="fr">' in page.text
    elsewhere = {"Origin": house.url, "Referer": f"{house.url}//elsewhere.example/x"}
    answer = visitor.http.post("/language", data={"language": "de"}, headers=elsewhere, follow_redirects=False)
    assert answer.headers["location"] == "/elsewhere.example/x"


def test_numbers_are_written_as_the_language_writes_them(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    assert "12.500 bits" in text_of(visitor.send(f"/rounds/{lesson.round_id}/moves", move="12.5"))
    visitor.http.cookies.set("language", "de")
    assert "12,500" in text_of(visitor.get(f"/rounds/{lesson.round_id}"))


def test_what_ended_a_play_is_told_in_the_readers_language(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game="debate", passages=["7."])
    visitor.http.cookies.set("language", "de")
    visitor.join(lesson, "Ada")
    page = visitor.send(f"/rounds/{lesson.round_id}/challenges", seat="black", invite="")
    assert "Die Herausforderung wurde zurückgenommen." in text_of(visitor.send(f"{page.url.path}/resign"))


def test_the_api_speaks_english(lesson: Class) -> None:
    ada = lesson.join("Ada")
    refused = ada.post(f"/rounds/{lesson.round_id}/submissions", json={"move": ""}, headers={"Accept-Language": "de"})
    assert refused.json()["detail"] == "The move is empty."


def test_a_script_of_a_page_is_refused_in_the_readers_language(
    marked: None, visitor: Visitor, lesson: Class, house: RunningApp
) -> None:
    visitor.join(lesson, "Ada")
    headers = {"Origin": house.url, "Accept": "application/json"}
    refused = visitor.http.post(f"/rounds/{lesson.round_id}/moves", data={"move": ""}, headers=headers)
    assert refused.headers["content-type"] == "application/problem+json"
    assert [each["detail"] for each in refused.json()["errors"]] == ["⟦⟦The move⟧ is empty.⟧"]


def test_a_sentence_remembers_what_it_was_made_from() -> None:
    one = say("{who} has {count} word", "{who} has {count} words", who=say("The {thing}", thing="cat"), count=2)
    assert one == "The cat has 2 words"
    assert (one.template, one.values["count"]) == ("{who} has {count} word", 2)
    assert say("Of {names}.", names=("a", say("b"))) == "Of a, b."


def main() -> None:
    for language in OTHERS:
        path = i18n.LOCALES / f"{language}.po"
        known = _file(language) if path.exists() else Catalog(locale=language)
        known.update(catalog(), no_fuzzy_matching=True, update_creation_date=False)
        known.obsolete.clear()
        with path.open("wb") as target:
            write_po(target, known, width=120, omit_header=False, sort_output=False)


if __name__ == "__main__":
    main()


def test_french_marks_stay_on_the_line_of_their_word() -> None:
    """Those that stand behind a space: a line must not break there."""
    french = [text for message in _file("fr") if message.id for text in _texts(message.string)]
    assert [text for text in french if re.search(r" [:;?!»]|« ", text)] == []
