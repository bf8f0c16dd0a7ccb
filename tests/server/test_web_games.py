"""The pages of games over HTTP: what everyone may read; and forms alone bring a game, change it, withdraw it."""

import re
import secrets

import httpx
import pytest

from games import catalog, limits
from games.program import parse
from server.web.games import NEW, TOLD
from tests.support.games import new_name, program, upload
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import RunningApp, new_competition, nothing_changes
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import PLAIN


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


@pytest.fixture
def host(visitor: Visitor, house: RunningApp) -> Visitor:
    visitor.sign_in(house.host)
    return visitor


def in_field(response: httpx.Response) -> str:
    """What stands in the editor, as a browser reads it: the first line end of a text area does not count."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", response.text, re.DOTALL)
    assert found
    return found[1].replace("&#34;", '"').replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")


def all_pages(visitor: Visitor) -> list[httpx.Response]:
    """Of the list of games: other tests bring some too."""
    pages = [visitor.get("/games")]
    while more := re.search(r'href="(/games\?page=\d+)">More games', pages[-1].text):
        pages.append(visitor.get(more[1]))
    return pages


def test_everyone_can_read_what_each_game_is(visitor: Visitor) -> None:
    pages = all_pages(visitor)
    nothing_from_elsewhere(pages[0])
    words = " ".join(map(text_of, pages))
    for name in catalog.names():
        assert parse(catalog.source(name)).title in words
        assert any(f'href="/games/{name}"' in page.text for page in pages)
    assert words.count("How it is scored.") >= len(catalog.names())
    assert words.count("Example.") >= len(catalog.names())
    assert "Bring a game" not in words
    assert "Withdrawn" not in words


@pytest.mark.parametrize("name", catalog.names())
def test_a_game_has_a_page_with_its_front_page_and_its_program(visitor: Visitor, name: str) -> None:
    response = visitor.get(f"/games/{name}")
    nothing_from_elsewhere(response)
    words = text_of(response)
    shown = parse(catalog.source(name))
    assert f"{shown.title} " in words
    assert shown.digest in words
    assert f"{shown.passages or 'No'} passage" in words
    assert ("further judges: one that reads backwards" in words) == (name == "arrow_of_time")
    assert words.count("How it is scored.") == 2, "once for people, once in the program"
    assert "Change it" not in words


@pytest.mark.parametrize("path", ["/", "/games", "/games/condense", "/sign-in"])
def test_every_page_leads_to_the_games(visitor: Visitor, path: str) -> None:
    assert '<a class="place" href="/games">Games</a>' in visitor.get(path).text


def test_a_host_brings_a_game_with_forms_alone(host: Visitor, house: RunningApp) -> None:
    editor = host.get("/host/games/new")
    nothing_from_elsewhere(editor)
    assert in_field(editor) == NEW
    name, source = new_name(), program("Sea shanties")
    with nothing_changes(house):
        checked = host.send("/host/games/check", source=source.replace("\n", "\r\n"), name=name)
    words = text_of(checked)
    assert "No errors." in words
    assert f"Saved, it becomes {name} , version 1." in words
    assert "Sea shanties Say something." in words
    assert in_field(checked) == source
    saved = host.send("/host/games", source=source.replace("\n", "\r\n"), name=name)
    assert (saved.status_code, saved.url.path) == (200, f"/games/{parse(source).digest}")
    assert f"Brought by a host as {name} , version 1." in text_of(saved)
    made = answer(house.anyone.get(f"/games/{name}"))
    assert (made["source"], made["packaged"]) == (source, False)
    assert f"Sea shanties {name} Say something." in " ".join(map(text_of, all_pages(host)))


def test_without_a_name_it_is_made_of_the_title(host: Visitor) -> None:
    unique = secrets.token_hex(4)
    saved = host.send("/host/games", source=program(f"Tides {unique}"), name=" ")
    assert f"as tides_{unique} , version 1" in text_of(saved)


@pytest.mark.parametrize("path", ["/host/games", "/host/games/check"])
def test_all_errors_stand_with_their_lines_and_nothing_is_lost(host: Visitor, house: RunningApp, path: str) -> None:
    source = "# Bad\nassign(s=storyy())\n  elicit(x, 900)\nreward(5)\n"
    with nothing_changes(house):
        response = host.send(path, source=source.replace("\n", "\r\n"), name="bad", of="older")
    assert response.status_code == 422
    words = text_of(response)
    assert "3 errors" in words
    assert "Line 2, column 10: found the name storyy" in words
    assert "2 assign(s= storyy ())" in words
    assert "3 elicit(x, 900 )" in words
    assert "Line 4, column 8: found a whole number, 5" in words
    assert in_field(response) == source
    assert 'value="bad"' in response.text
    assert "New version of older" in words


def test_an_error_in_a_very_long_line_is_shown_with_what_stands_around_it(host: Visitor) -> None:
    long = f'assign(l=["{"x" * 300}"], s=storyy(), t="{"y" * 300}")'
    response = host.send("/host/games/check", source=f"assign(s=\n{long}", name="")
    words = text_of(response)
    assert "1 assign ( s=" in words
    assert f'{"x" * 10}"], s= storyy (), t="{"y" * 10}' in words
    assert "x" * 100 not in words.partition("Program")[0]


def test_a_text_that_is_no_program_lists_as_much_as_helps(host: Visitor) -> None:
    words = text_of(host.send("/host/games/check", source="\x01\n" * 20_000, name=""))
    assert "1,000 errors or more" in words
    assert f"These are the first {TOLD}." in words


@pytest.mark.parametrize(
    ("source", "name", "status", "told"),
    [
        (program("Fine"), "Not a name", 422, "A game's name has at most 48 characters"),
        (program("Fine"), "condense", 409, "is the name of a packaged game"),
        (program("Condense"), "", 409, "is the name of a packaged game"),
        (catalog.source("condense"), "mine", 409, "packaged as 'condense'"),
        ("elicit(x, 5)\nreward(xed(story() | x))", "", 422, "No name can be made"),
        ("", "empty", 422, "expected at least one"),
    ],
    ids=["no name", "taken", "taken by its title", "there already", "no title", "empty"],
)
def test_what_else_is_wrong_is_told_and_the_program_stays(
    host: Visitor, house: RunningApp, source: str, name: str, status: int, told: str
) -> None:
    with nothing_changes(house):
        for path in ("/host/games/check", "/host/games"):
            response = host.send(path, source=source, name=name)
            assert response.status_code == status
            assert told in text_of(response)
            assert in_field(response) == source


def test_a_program_of_64_kilobytes_fits_the_form(host: Visitor) -> None:
    source = program()
    source += "#\n" * ((limits.SOURCE_BYTES - len(source)) // 2)
    assert host.send("/host/games", source=source.replace("\n", "\r\n"), name=new_name()).status_code == 200
    too_long = source.replace("\n", "\r\n") + "#" * 10
    assert "65,536" in text_of(host.send("/host/games", source=too_long, name=new_name()))


def test_a_new_version_begins_with_the_present_source(host: Visitor, house: RunningApp) -> None:
    name = new_name()
    first = answer(upload(house, program(), name), 201)
    competition = new_competition(house)
    body = {"game": name, "passages": [PASSAGE], "judge": PLAIN.identity}
    round_ = answer(house.host.post(f"/competitions/{competition['id']}/rounds", json=body), 201)
    editor = host.get(f"/host/games/new?of={first['digest']}")
    assert in_field(editor) == first["source"]
    assert f'name="name" value="{name}"' in editor.text
    assert f"New version of {name}" in text_of(editor)
    changed = first["source"].replace("elicit(x, 10)", "elicit(x, 12)")
    words = text_of(host.send("/host/games", source=changed, name=name, of=name))
    assert "version 2" in words
    assert "Version 2" in words
    assert "Version 1" in words
    assert answer(house.host.get(f"/rounds/{round_['id']}"))["digest"] == first["digest"]


def test_a_packaged_game_is_a_beginning_for_ones_own(host: Visitor, house: RunningApp) -> None:
    assert "/host/games/new?of=" in host.get("/games/contrast").text
    editor = host.get("/host/games/new?of=contrast")
    assert in_field(editor) == catalog.source("contrast")
    assert 'value="own_contrast"' in editor.text
    assert host.get("/host/games/new?of=nope").status_code == 404


def test_a_game_is_withdrawn_and_comes_back(host: Visitor, house: RunningApp) -> None:
    name = new_name()
    made = answer(upload(house, program(), name), 201)
    gone = host.send(f"/host/games/{made['digest']}/withdraw")
    assert "This version is withdrawn" in text_of(gone)
    words = text_of(host.get("/games"))
    assert name in words.partition("Withdrawn In no list")[2]
    assert name not in words.partition("Withdrawn In no list")[0]
    back = host.send(f"/host/games/{made['digest']}/restore")
    assert "This version is withdrawn" not in text_of(back)
    assert "withdrawn_at" not in back.text
    assert name in " ".join(map(text_of, all_pages(host)))
    assert host.send("/host/games/condense/withdraw").status_code == 409


@pytest.mark.parametrize("path", ["/host/games", "/host/games/check", "/host/games/condense/withdraw"])
def test_only_hosts_bring_games(visitor: Visitor, house: RunningApp, path: str) -> None:
    with nothing_changes(house):
        response = visitor.send(path, source=program(), name=new_name())
    assert response.url.path == "/sign-in"
    competition = new_competition(house)
    visitor.send("/join", code=competition["code"], name="Ada")
    with nothing_changes(house):
        assert visitor.send(path, source=program(), name=new_name()).status_code == 403
    assert visitor.get("/host/games/new").status_code == 403


def test_a_form_from_elsewhere_is_refused(host: Visitor, house: RunningApp) -> None:
    with nothing_changes(house):
        fields = {"source": program(), "name": new_name()}
        response = host.http.post("/host/games", data=fields, headers={"Origin": "http://elsewhere.example"})
    assert response.status_code == 403


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_what_a_program_says_never_becomes_part_of_a_page(host: Visitor, house: RunningApp) -> None:
    source = f"# {HOSTILE}\n#\n# {HOSTILE} [a](javascript:alert(3)) </textarea></pre>{HOSTILE}\nassign(s=story())\n"
    name = new_name()
    pages = [
        host.send("/host/games/check", source=f"{source}reward({HOSTILE})", name=HOSTILE, of=HOSTILE),
        host.send("/host/games/check", source=f"{source}elicit(x, 5)\nreward(xed(s | x))\n", name=name),
        host.send("/host/games", source=f"{source}elicit(x, 5)\nreward(xed(s | x))\n", name=name),
        host.get("/games"),
        host.get(f"/games/{name}"),
        host.get(f"/host/games/new?of={name}"),
    ]
    for response in pages:
        assert "onerror" in response.text, "it is shown, as text"
        assert "<script>alert" not in response.text
        assert "<img" not in response.text
        assert 'href="javascript' not in response.text
        assert response.text.count("</textarea>") == response.text.count("<textarea")
    answer(house.host.post(f"/games/{name}:withdraw"))


def test_the_form_of_a_round_has_all_games_and_begins_with_the_strict_one(host: Visitor, house: RunningApp) -> None:
    name = new_name()
    answer(upload(house, program("Sea shanties"), name), 201)
    competition = new_competition(house)
    page = host.get(f"/host/competitions/{competition['id']}")
    assert re.findall(r'<select id="game".*?<option value="(\w+)"[^>]* selected>', page.text, re.DOTALL) == [
        "condense_strict"
    ]
    words = text_of(page)
    assert f"Sea shanties ({name})" in words
    assert "Contrast, 2 passages" in words
    assert "plain measures about 1,000 moves a second here: enough for 20,000 players who each move every 20" in words
    host.send(f"/host/competitions/{competition['id']}/rounds", passages=PASSAGE, judge="plain")
    rounds = answer(house.host.get(f"/competitions/{competition['id']}/rounds"))["items"]
    assert [each["game"] for each in rounds] == ["condense_strict"]
    host.send(f"/host/competitions/{competition['id']}/rounds", game=name, passages=PASSAGE, judge="plain")
    rounds = answer(house.host.get(f"/competitions/{competition['id']}/rounds"))["items"]
    assert [each["game"] for each in rounds] == ["condense_strict", name]
