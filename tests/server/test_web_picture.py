"""The picture to share over HTTP: when it is there and for whom, and that it shows what the page shows."""

import re

import pytest

from server.web.picture.drawing import HEIGHT, INK, PAPER, WIDTH
from tests.support.pictures import drawn, near, pixels, rgb
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

NOT_YET = "The picture is there when the round has ended."


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def close(lesson: Class) -> None:
    assert answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:close"))["state"] == "closed"


def shared(visitor: Visitor, lesson: Class, move: str, name: str = "Ada") -> tuple[Caller, str]:
    """A player who has scored in a round that is over, signed in; and where the picture is."""
    player = lesson.join(name)
    sent = player.score(lesson.round_id, move)
    close(lesson)
    visitor.sign_in(player)
    return player, f"/submissions/{sent['id']}/picture"


def test_the_picture_has_the_tokens_and_the_numbers_of_the_page(visitor: Visitor, lesson: Class) -> None:
    _, picture = shared(visitor, lesson, "12.5 boats")
    page = visitor.get(picture.removesuffix("/picture"))
    sent = visitor.get(f"{picture}.svg")
    assert sent.headers["content-type"] == "image/svg+xml"
    found = drawn(sent.text)
    tokens = re.findall(r'class="token ([\w-]+)" data-bits="([^"]+)">', page.text)
    assert [shade.bits for shade in found.shades] == [bits for _, bits in tokens]
    assert [bool(shade.opacity) for shade in found.shades] == [tint != "even" for tint, _ in tokens]
    assert any(tint == "gain-4" for tint, _ in tokens)
    assert found.title == "Condense, saved 12.5 bits"
    assert found.told == f"12.5\n{PASSAGE}\nJudge: {PLAIN.name}"


def test_the_png_is_the_same_picture(visitor: Visitor, lesson: Class) -> None:
    _, picture = shared(visitor, lesson, "12.5 boats")
    found = drawn(visitor.get(f"{picture}.svg").text)
    sent = visitor.get(f"{picture}.png")
    assert sent.headers["content-type"] == "image/png"
    image = pixels(sent.content)
    assert image.size == (WIDTH, HEIGHT)
    for shade in found.shades:
        assert near(image, (shade.x + shade.width / 2, shade.y + 2), shade.colour(PAPER))
    dark = sum(1 for value in image.convert("L").tobytes() if value < sum(rgb(INK)) / 3 + 20)
    assert 5_000 < dark < WIDTH * HEIGHT / 10, "letters, and room around them"
    assert visitor.get(f"{picture}.png").content == sent.content


def test_a_picture_runs_and_loads_nothing(visitor: Visitor, lesson: Class) -> None:
    _, picture = shared(visitor, lesson, "12.5 boats")
    for ending in ("svg", "png"):
        headers = visitor.get(f"{picture}.{ending}").headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "script" not in policy
        assert ("style" in policy) == (ending == "png"), "a browser styles the page that it makes of a PNG"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-disposition"] == f'inline; filename="xent-arena.{ending}"'


def test_the_name_is_on_it_where_that_was_chosen(visitor: Visitor, lesson: Class) -> None:
    _, picture = shared(visitor, lesson, "12.5", name="Grace Hopper")
    assert "Hopper" not in visitor.get(f"{picture}.svg").text
    assert drawn(visitor.get(f"{picture}.svg?name=1").text).told.startswith("Grace Hopper\n")
    assert visitor.get(f"{picture}.png?name=1").content != visitor.get(f"{picture}.png").content


def test_while_the_round_is_open_there_is_no_picture(visitor: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    sent = ada.score(lesson.round_id, "12.5")
    visitor.sign_in(ada)
    page = f"/submissions/{sent['id']}"
    for state in ("pause", "open"):
        answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:{state}"))
        assert "A picture to share" not in visitor.get(page).text
        for ending in ("svg", "png"):
            response = visitor.get(f"{page}/picture.{ending}")
            assert response.status_code == 409
            assert NOT_YET in text_of(response)
    close(lesson)
    assert "A picture to share" in visitor.get(page).text
    assert visitor.get(f"{page}/picture.png").status_code == 200


def test_the_picture_is_the_players_own_and_the_hosts(visitor: Visitor, lesson: Class, house: RunningApp) -> None:
    bob = lesson.join("Bob")
    _, picture = shared(visitor, lesson, "12.5")
    own = visitor.get(f"{picture}.svg").text
    with nothing_changes(house):
        visitor.sign_in(bob)
        refused = visitor.get(f"{picture}.svg")
        assert refused.status_code == 403
        assert "another player" in text_of(refused)
        visitor.sign_in(house.host)
        assert visitor.get(f"{picture}.svg").text == own
        assert visitor.get("/submissions/none/picture.png").status_code == 404
    assert "with the player's name on it" in text_of(visitor.get(picture.removesuffix("/picture")))
    visitor.http.cookies.clear()
    assert visitor.get(f"{picture}.png").url.path == "/"


def test_there_is_no_picture_of_what_is_hidden(visitor: Visitor, lesson: Class, house: RunningApp) -> None:
    _, picture = shared(visitor, lesson, "12.5")
    answer(house.host.post(f"{picture.removesuffix('/picture')}:hide"))
    response = visitor.get(f"{picture}.png")
    assert response.status_code == 409
    assert "The host has hidden this move: there is no picture of it." in text_of(response)
    assert "A picture to share" not in visitor.get(picture.removesuffix("/picture")).text


NEVER = """# Never
assign(s=story())
elicit(x, 10)
ensure(num_words(x) > 90)
reward(xed(s | x))
"""


def test_there_is_no_picture_of_what_was_not_scored(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(NEVER))
    ada = lesson.join("Ada")
    sent = answer(ada.submit(lesson.round_id, "too short"), 202, 201, 200)
    close(lesson)
    visitor.sign_in(ada)
    response = visitor.get(f"/submissions/{sent['id']}/picture.png")
    assert response.status_code == 409
    assert "This move was not scored: there is no picture of it." in text_of(response)


def test_two_rewards_are_two_texts_each_with_its_bits(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game="contrast", passages=[PASSAGE, "The court rose at noon."])
    _, picture = shared(visitor, lesson, "8")
    page = visitor.get(picture.removesuffix("/picture"))
    found = drawn(visitor.get(f"{picture}.svg").text)
    assert found.title == "Contrast, scored 0.0 bits"
    assert PASSAGE in found.told
    assert "The court rose at noon." in found.told
    assert [shade.bits for shade in found.shades] == re.findall(r'data-bits="([^"]+)">', page.text)
    first, last = found.shades[0], found.shades[-1]
    assert first.y < last.y, "one below the other"


def test_what_a_seat_does_not_see_is_not_on_its_picture(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game="whispers")
    players = {seat: lesson.join(seat) for seat in ("alice", "bob", "carol")}
    plays = _whispered(lesson, players)
    close(lesson)
    for seat, player in players.items():
        visitor.sign_in(player)
        picture = visitor.get(f"/submissions/{plays[seat]['id']}/picture.svg")
        told = drawn(picture.text).told
        assert f"{seat} says 5" in told
        assert (PASSAGE in told) == (seat == "alice")
        assert ("What was measured stays hidden." in told) == (seat != "alice")
        assert not [other for other in players if other != seat and other in told]


def _whispered(lesson: Class, players: dict[str, Caller]) -> dict[str, Json]:
    first = answer(players["alice"].post(f"/rounds/{lesson.round_id}/challenges", json={"seat": "alice"}), 202)
    path = f"/challenges/{first['play']}:accept"
    plays = {"alice": first}
    for seat in ("bob", "carol"):
        plays[seat] = answer(players[seat].post(path, json={"seat": seat}), 201, 202)
    for seat, play in plays.items():
        body, wait = {"move": f"{seat} says 5"}, 30 if seat == "carol" else 0
        answer(players[seat].post(f"/submissions/{play['id']}/moves", json=body, params={"wait": wait}), 201, 202)
    return plays


def test_the_numbers_on_it_are_written_as_on_the_page(visitor: Visitor, lesson: Class) -> None:
    _, picture = shared(visitor, lesson, "12.5")
    found = drawn(visitor.get(f"{picture}.svg", headers={"Accept-Language": "de"}).text)
    assert "12,5" in found.title.split()
    assert all("," in shade.bits for shade in found.shades)


FITS = """# Fits
assign(s=story())
elicit(x, 10)
reward(xed(x | s))
"""


def test_only_what_the_players_words_save_is_called_saved(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(FITS))
    _, picture = shared(visitor, lesson, "quiet lagoon waters")
    title = drawn(visitor.get(f"{picture}.svg").text).title
    assert title.startswith("Fits, scored ")
    assert title != "Fits, scored 0.0 bits"
