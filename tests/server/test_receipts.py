"""Receipts: what a score can be computed again from, signed, and never a word too many."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.arena import signing_keys
from server.db.models import Measurement, SigningKey
from server.db.session import Database
from server.db.states import WorkState
from tests.support import duels
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, problem
from tests.support.services import eventually
from tests.support.web import Visitor
from tests.support.workers import PLAIN, FakeJudge, at_work
from xentarena import Client, InputError, receipts

DUO = "assign(s=story())\nelicit(alice, x, 8)\nelicit(bob, y, 8)\nreward(alice, xed(s | x))\nreward(bob, xed(s | y))"
DRAWN = "assign(s=story(), l=['red','green','blue'])\nassign(t=sample(l))\nelicit(x, 8)\nreward(xed(s | x + t))"
EARLY = (
    "assign(s=story())\nelicit(black, x, 8)\nreward(black, xed(s | x))\nelicit(white, y, 8)\nreward(white, xed(s | y))"
)


def receipt_of(who: Caller, submission: Json) -> Json:
    return answer(who.get(f"/submissions/{submission['id']}/receipt"))


def computed(receipt: Json) -> dict[str, int]:
    return receipts.computed(receipts.read(json.dumps(receipt))[1])


def close_and_reveal(class_: Class, which: str = "all") -> None:
    class_.close()
    answer(class_.house.host.post(f"/rounds/{class_.round_id}:reveal", json={"which": which}))


def test_a_score_is_computed_again_from_its_receipt(lesson: Class) -> None:
    ada = lesson.join("Ada")
    scored = ada.score(lesson.round_id, "25")
    receipt = receipt_of(ada, scored)
    assert receipts.is_signed(receipt)
    assert (receipt["complete"], receipt["missing"], receipt["because"]) == (True, [], None)
    assert computed(receipt) == receipt["rewards"] == {"black": 25_000}
    assert receipt["millibits"] == 25_000
    assert receipt["player"] == {"id": ada.id, "name": "Ada", "kind": "person"}
    assert receipt["play"]["moves"] == [{"seat": "black", "text": "25"}]
    assert receipt["play"]["passages"] == [PASSAGE]
    assert receipt["program"]["digest"] == lesson.round["digest"]
    assert receipt["judges"]["main"]["identity"] == PLAIN.identity
    assert receipt["round"]["number"] == 1
    assert receipt["engine"] == scored["engine"]
    assert receipt["accepted_at"][:19] == scored["accepted_at"][:19]


def test_the_bits_in_it_are_the_bytes_that_are_stored(lesson: Class) -> None:
    ada = lesson.join()
    receipt = receipt_of(ada, ada.score(lesson.round_id, "7.5"))
    rows = {(row.prefix, row.text): row.bits for row in lesson.house.measurements(PLAIN)}
    told = {(each["prefix"], each["text"]): each["bits"] for each in receipt["play"]["measurements"]}
    assert told
    assert told == {key: receipts.packed(rows[key] or b"") for key in told}


def test_the_same_receipt_has_the_same_bytes_which_are_the_signed_ones(lesson: Class) -> None:
    ada = lesson.join()
    path = f"/submissions/{ada.score(lesson.round_id, '3')['id']}/receipt"
    first, second = ada.get(path), ada.get(path)
    assert first.content == second.content == receipts.canonical(first.json())
    assert "attachment" in first.headers["content-disposition"]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list) or not value:
        yield path
    for name, child in children:
        yield from _leaves(child, (*path, name))


def _altered(receipt: Json, path: tuple[Any, ...]) -> Json:
    copy: Json = json.loads(json.dumps(receipt))
    holder: Any = copy
    for name in path[:-1]:
        holder = holder[name]
    old = holder[path[-1]]
    match old:
        case bool():
            new: object = not old
        case int():
            new = old + 1
        case str():
            new = ("1" if old.startswith("0") else "0") + old[1:]
        case _:
            new = "something"
    holder[path[-1]] = new
    return copy


def _holds(receipt: Json) -> bool:
    try:
        document, _ = receipts.read(json.dumps(receipt))
    except InputError:
        return False
    return receipts.is_signed(document)


def test_a_receipt_that_was_altered_anywhere_fails(lesson: Class) -> None:
    ada = lesson.join("Ada")
    receipt = receipt_of(ada, ada.score(lesson.round_id, "25"))
    paths = list(_leaves(receipt))
    assert len(paths) > 50
    assert _holds(receipt)
    assert [path for path in paths if _holds(_altered(receipt, path))] == []
    assert not _holds({**receipt, "note": "more than was signed"})
    assert not _holds({**receipt, "signature": receipt["signature"].upper()})


def test_whoever_signs_it_anew_is_seen_by_the_key(lesson: Class) -> None:
    ada = lesson.join("Ada")
    receipt = receipt_of(ada, ada.score(lesson.round_id, "25"))
    document = {name: value for name, value in receipt.items() if name not in ("signature", "key", "public_key")}
    forged = receipts.signed({**document, "millibits": 99_000}, Ed25519PrivateKey.generate())
    keys = {each["id"] for each in answer(lesson.house.anyone.get("/keys"))["items"]}
    assert receipts.is_signed(forged)
    assert receipt["key"] in keys
    assert forged["key"] not in keys


def test_a_receipt_is_for_whoever_may_see_the_submission_and_has_a_score(slow_lesson: Class) -> None:
    ada, bob = slow_lesson.join(), slow_lesson.join()
    queued = answer(ada.submit(slow_lesson.round_id, "sea ship"), 202)
    path = f"/submissions/{queued['id']}/receipt"
    told = problem(ada.get(path), 409, "not-scored")
    assert "score" in told["detail"]
    problem(bob.get(path), 403, "forbidden")
    problem(slow_lesson.house.anyone.get(path), 401, "unauthorized")
    problem(ada.get("/submissions/sub_none/receipt"), 404, "not-found")


def duo(house: RunningApp) -> tuple[Class, Caller, Caller, Json, Json]:
    """A play of two who see nothing of each other, played to its end."""
    class_ = duels.class_of(house, DUO)
    alice, bob = class_.join("Ann"), class_.join("Ben")
    first = duels.challenge(alice, class_, seat="alice", invite=bob.id)
    second = answer(bob.post(f"/challenges/{first['play']}:accept", json={}), 202)
    duels.move(alice, first, "11 of hers")
    duels.move(bob, second, "5 of his", wait=30)
    return class_, alice, bob, duels.now(alice, first, wait=30), duels.now(bob, second, wait=30)


def test_what_a_seat_may_not_see_is_told_once_everything_is_revealed(house: RunningApp) -> None:
    class_, alice, _bob, first, _ = duo(house)
    for step in ("open", "closed", "top revealed"):
        if step == "closed":
            class_.close()
        if step == "top revealed":
            close_and_reveal(class_, "top")
        receipt = receipt_of(alice, first)
        assert receipts.is_signed(receipt)
        assert (receipt["complete"], receipt["because"]) == (False, "hidden")
        assert "moves" in receipt["missing"]
        assert receipt["play"]["moves"] == [{"seat": "alice", "text": "11 of hers"}]
        told = json.dumps(receipt)
        assert "of his" not in told
        assert "The tide" not in told
    whole = receipt_of(house.host, first)
    assert computed(whole) == whole["rewards"] == {"alice": 11_000, "bob": 5_000}
    close_and_reveal(class_)
    assert receipt_of(alice, first) == whole


def test_a_play_in_which_something_is_hidden_is_not_told(house: RunningApp) -> None:
    class_, alice, _bob, first, second = duo(house)
    close_and_reveal(class_)
    answer(house.host.post(f"/submissions/{second['id']}:hide"))
    assert receipt_of(alice, first)["because"] == "hidden"
    assert receipt_of(house.host, first)["complete"]


def test_what_draws_from_the_seed_waits_for_the_end_of_the_round(house: RunningApp) -> None:
    class_ = new_class(house, PLAIN, game=house.install_game(DRAWN), seed="a secret seed")
    ada = class_.join()
    scored = ada.score(class_.round_id, "12 words")
    receipt = receipt_of(ada, scored)
    assert (receipt["complete"], receipt["because"]) == (False, "hidden")
    assert "a secret seed" not in json.dumps(receipt)
    class_.close()
    receipt = receipt_of(ada, scored)
    assert receipt["play"]["seed"] == "a secret seed"
    assert computed(receipt) == receipt["rewards"]
    assert not all(_leads_to_the_score(receipt, seed) for seed in "abcdef"), "the seed decides"


def _leads_to_the_score(receipt: Json, seed: str) -> bool:
    try:
        return bool(computed({**receipt, "play": {**receipt["play"], "seed": seed}}) == receipt["rewards"])
    except receipts.NotComputable:
        return False


def test_what_a_judge_wrote_for_the_round_is_in_it(house: RunningApp) -> None:
    source = 'assign(s=generate("Go on", 12))\nelicit(x, 8)\nreward(xed(s | x))\n'
    class_ = new_class(house, PLAIN, game=house.install_game(source), passages=[])
    eventually(lambda: answer(house.host.get(f"/rounds/{class_.round_id}"))["state"] == "open", what="the text")
    ada = class_.join()
    scored = ada.score(class_.round_id, "6")
    assert receipt_of(ada, scored)["because"] == "hidden"
    class_.close()
    receipt = receipt_of(ada, scored)
    assert receipt["play"]["generated"] == answer(house.host.get(f"/rounds/{class_.round_id}"))["generated"]
    assert computed(receipt) == receipt["rewards"] == {"black": 6_000}


def test_a_game_of_two_judges_is_computed_with_the_bits_of_each(house: RunningApp) -> None:
    backward = FakeJudge(direction="backward")
    with at_work(house.redis_url, backward):
        eventually(lambda: house.measurable(backward), what="the second judge")
        judges = {"backward": backward.identity}
        class_ = new_class(house, PLAIN, game="arrow_of_time", passages=[], judges=judges)
        ada = class_.join()
        receipt = receipt_of(ada, ada.score(class_.round_id, "one two three"))
    assert {slot: each["identity"] for slot, each in receipt["judges"].items()} == judges | {"main": PLAIN.identity}
    assert {each["judge"] for each in receipt["play"]["measurements"]} == {"main", "backward"}
    assert computed(receipt) == receipt["rewards"]


def test_of_others_moves_it_has_what_counted(house: RunningApp) -> None:
    class_ = duels.class_of(house, EARLY)
    black, white = class_.join("Ann"), class_.join("Ben")
    begun = duels.begin(class_, black, white)
    duels.move(black, begun[0], "9 b c d e f g h beyond the limit")
    eventually(lambda: duels.now(white, begun[1])["state"] == "awaiting_move", what="White's turn")
    duels.move(white, begun[1], "4", wait=30)
    mine, his = receipt_of(black, begun[0]), receipt_of(white, begun[1])
    assert mine["play"]["moves"][0]["text"].endswith("limit")
    assert "beyond" not in json.dumps(his)
    assert computed(mine) == computed(his) == mine["rewards"]


def test_who_stays_in_a_play_that_was_left_can_compute_what_they_had(house: RunningApp) -> None:
    class_ = duels.class_of(house, EARLY)
    black, white = class_.join("Ann"), class_.join("Ben")
    begun = duels.begin(class_, black, white)
    duels.move(black, begun[0], "9")
    eventually(lambda: duels.now(white, begun[1])["state"] == "awaiting_move", what="White's turn")
    answer(white.post(f"/submissions/{begun[1]['id']}:resign"))
    receipt = receipt_of(black, begun[0])
    assert receipt["millibits"] == 9_000
    assert receipt["play"]["left_after"] == len(duels.now(house.host, begun[0])["events"])
    assert computed(receipt) == receipt["rewards"] == {"black": 9_000}
    problem(white.get(f"/submissions/{begun[1]['id']}/receipt"), 409, "not-scored")


def test_a_receipt_that_leads_nowhere_any_more_says_so(lesson: Class) -> None:
    ada = lesson.join()
    scored = ada.score(lesson.round_id, "8 lost zebras")

    def lose(session: Session) -> None:
        (row,) = session.scalars(select(Measurement).where(Measurement.prefix.contains("lost zebras")))
        row.state = WorkState.FAILED

    lesson.house.database.write(lose)
    receipt = receipt_of(ada, scored)
    assert (receipt["complete"], receipt["because"]) == (False, "lost")
    assert receipts.is_signed(receipt)


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_everybody_reads_the_keys_and_a_new_one_signs(own_house: Any) -> None:
    house = own_house(rate_limit=1000)
    keys = answer(house.anyone.get("/keys"))["items"]
    assert len(keys) == 1
    assert house.http.get(f"{house.url}/.well-known/xentarena-keys.json").json()["items"] == keys
    problem(house.anyone.post("/keys"), 401, "unauthorized")
    made = answer(house.host.post("/keys"), 201)
    now = answer(house.anyone.get("/keys"))["items"]
    assert now == [made, *keys]
    assert all(receipts.fingerprint(bytes.fromhex(each["public_key"])) == each["id"] for each in now)
    assert "private" not in json.dumps(now)
    (row,) = [each for each in house.host.get("/audit.jsonl").text.splitlines() if "key.replace" in each]
    assert json.loads(row)["target"] == made["id"]


def test_a_player_makes_no_key(lesson: Class) -> None:
    problem(lesson.join().post("/keys"), 403, "forbidden")


def test_of_processes_that_make_the_first_key_one_does(database_url: str) -> None:
    database = Database(database_url, connections=8)
    together = Barrier(8)

    def start() -> str:
        together.wait()
        database.write(signing_keys.ensure)
        return database.read(signing_keys.current).id

    with ThreadPoolExecutor(8) as pool:
        seen = {each.result() for each in [pool.submit(start) for _ in range(8)]}
    assert len(seen) == 1
    assert database.read(lambda session: session.scalar(select(func.count()).select_from(SigningKey))) == 1
    database.dispose()


# --- Where it is found ------------------------------------------------------------------------------------------------


def test_the_page_of_a_scored_submission_leads_to_its_receipt(lesson: Class, visitor: Visitor) -> None:
    visitor.join(lesson, "Ada")
    visitor.send(f"/rounds/{lesson.round_id}/moves", move="6")
    (row,) = lesson.house.submissions(lesson.round_id)
    page = visitor.get(f"/submissions/{row.id}")
    link = f"/api/v1/submissions/{row.id}/receipt"
    assert f'href="{link}"' in page.text
    assert receipts.is_signed(visitor.get(link).json())


def test_the_client_fetches_a_receipt(lesson: Class) -> None:
    ada = lesson.join("Ada")
    scored = ada.score(lesson.round_id, "25")
    with Client(lesson.house.url, ada.token) as client:
        receipt = client.receipt(scored["id"])
    assert receipts.is_signed(receipt)
    assert receipt == receipt_of(ada, scored)
    assert datetime.fromisoformat(receipt["finished_at"]) <= datetime.now(UTC)
