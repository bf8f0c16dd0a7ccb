"""A host brings a class by its roster and gives out cards; a door with somebody at it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser import SLOW, OpenPage, sign_in_as_host
from tests.support.scenario.deployment import Deployment, Game, answer

pytestmark = pytest.mark.slow


def test_a_pasted_roster_becomes_cards_and_a_card_signs_in(open_page: OpenPage, game: Game, tmp_path: Path) -> None:
    host, ada = open_page(), open_page()
    sign_in_as_host(host)
    host.goto(f"/host/competitions/{game.competition['id']}")
    host.get_by_role("link", name="See to the players").click()
    field = host.get_by_label("Names, one on each line")
    field.fill("Ada\nBob\nADA")
    host.get_by_role("button", name="Look at it first").click()
    expect(host.locator("#roster-error")).to_contain_text("Line 3: The name 'ADA' is on line 1 already")
    expect(field).to_be_focused()
    expect(field).to_have_value("Ada\nBob\nADA")
    file = tmp_path / "class.csv"
    file.write_bytes("Name;Nr\nAda;17\nZoë;18\n".encode("latin-1"))
    host.get_by_label("Or a file (CSV)").set_input_files(file)
    expect(field).to_have_value("Name;Nr\nAda;17\nZoë;18\n")
    host.get_by_role("button", name="Look at it first").click()
    expect(host.get_by_role("heading", name="2 players to be added")).to_be_visible()
    host.get_by_role("button", name="Add them and make the cards").click()
    cards = host.locator(".name-cards li")
    expect(cards).to_have_count(2)
    expect(host.get_by_role("img", name="Sign-in code of Zoë")).to_be_visible()

    host.emulate_media(media="print")
    expect(host.get_by_role("button", name="Print")).to_be_hidden()
    expect(host.locator("header")).to_be_hidden()
    for card in cards.all():
        expect(card).to_be_visible()

    ada.goto(f"/sign-in#{cards.first.locator('.key').inner_text()}")
    expect(ada.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    expect(ada.get_by_role("link", name="Signed in as Ada")).to_be_visible()


def test_who_waits_is_let_in_and_goes_on_without_doing_anything(
    open_page: OpenPage, game: Game, arena: Deployment
) -> None:
    host, ada = open_page(), open_page()
    id_ = game.competition["id"]
    sign_in_as_host(host)
    host.goto(f"/host/competitions/{id_}/people")
    host.get_by_label("With this code").select_option("approval")
    host.get_by_role("button", name="Change who may join").click()
    expect(host.get_by_label("With this code")).to_have_value("approval")
    ada.goto(f"/join/{game.competition['code']}")
    ada.get_by_label("Your name in the game").fill("Ada")
    ada.get_by_role("button", name="Join").click()
    expect(ada.get_by_text("This page goes on by itself")).to_be_visible()
    host.get_by_label("Names, one on each line").fill("half a ro")
    expect(host.get_by_role("button", name="Let in Ada")).to_be_visible(timeout=SLOW)
    expect(host.get_by_label("Names, one on each line")).to_have_value("half a ro")
    with arena.client(None) as anyone:
        body = {"code": game.competition["code"], "name": "Bob"}
        answer(anyone.post("/competitions:join", json=body), 201)
    expect(host.get_by_role("button", name="Let all in")).to_be_visible(timeout=SLOW)
    host.get_by_role("button", name="Let in Ada").click()
    expect(ada.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    expect(host.get_by_role("button", name="Let in Bob")).to_be_visible()
