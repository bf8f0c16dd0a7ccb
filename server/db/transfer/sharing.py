"""Which columns a shareable export has: for every table and column one decision, and a test that none is without.

A value of `people` is told by a pseudonym: the same one wherever it stands, also in later exports of this server, and
not to be computed by anybody who lacks the server's signing key.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from server.db.models import Play, SigningKey, Submission
from server.db.transfer import rows, unseen
from server.db.transfer.rows import Encode


@dataclass(frozen=True, slots=True)
class Columns:
    """Names with a space between them.

    people: who a player is, and what a board shows beside their name. omitted: what is secret, or somebody else's, or
    told by other tables.
    """

    kept: str = ""
    people: str = ""
    omitted: str = ""


DECISIONS = {
    "announcements": Columns(omitted="number id competition_id text made_at withdrawn_at"),
    "attempts": Columns("round_id used", people="player_id"),
    "audit": Columns(omitted="number at token_id competition_id action target detail"),
    "checks": Columns(
        omitted="key measurement number judge state bits build worker failure tries lane queued_at finished_at"
    ),
    "closed_experiments": Columns("competition_id experiment closed_at"),
    "closed_labs": Columns("competition_id closed_at"),
    "competitions": Columns(
        "id name bots free_measurements total joining draft last_event frozen_at created_at",
        omitted="code",  # whoever has it may join
    ),
    "differences": Columns(omitted="number at judge said stopped"),  # names of machines
    "distrusted": Columns(omitted="kind name at by mended"),
    # What people try for themselves is nobody else's.
    "experiments": Columns(
        omitted="key judge asker kind question answer state build worker failure tries lane queued_at finished_at"
    ),
    "feed": Columns(omitted="competition_id number type data at"),  # names; and the other tables tell the same
    "frozen_ratings": Columns("number round_id mu sigma plays points", people="player_id"),
    "frozen_standings": Columns("round_id millibits number", people="player_id"),
    "games": Columns(
        "digest name version packaged title description source created_at withdrawn_at", omitted="host_id"
    ),
    "hosting": Columns(omitted="competition_id token_id"),
    "judges": Columns(
        "identity name context bos direction dtype build created_at",
        omitted="tokenizer",  # others' work, under a licence of its own
    ),
    "measurements": Columns(
        "key judge profile prefix text state bits build failure tries lane queued_at finished_at",
        people="player_id",
        omitted="worker",
    ),
    "needs": Columns("key play_id"),
    "players": Columns(
        "competition_id team_id kind pending removed joined_at",
        people="id name",
        omitted="name_key external_id removal",
    ),
    "plays": Columns("id round_id moves events waiting awaits due_at vacant", people="invited"),
    "ratings": Columns("number round_id first mu sigma plays points", people="player_id"),
    "repeats": Columns(omitted="token_id route key body submission_id"),
    "rescored_plays": Columns("rescoring_id play_id done reason events build"),
    "rescores": Columns("rescoring_id number millibits replaced passage_millibits rewards"),
    "rescorings": Columns("id round_id judges profile state made_at ended_at"),
    "retention": Columns(omitted="id days as_server due_at"),  # what this server does, not what was played
    "round_judges": Columns("round_id slot identity"),
    "rounds": Columns(
        "id competition_id number title draft game digest passages seed profile state opens_at closes_at duration"
        " closed_at archived_at revision second_judge house attempts move_seconds generated trouble revealed created_at"
    ),
    "signing_keys": Columns("number id created_at", omitted="private"),
    "standings": Columns("round_id millibits number", people="player_id"),
    "submissions": Columns(
        "number play_id seat round_id state millibits passage_millibits rewards reason build engine hidden practice"
        " rescoring_id accepted_at finished_at",
        people="id player_id",
    ),
    "teams": Columns("id competition_id created_at deleted_at", omitted="name name_key"),  # may be made of names
    "tokens": Columns(omitted="id prefix digest scope player_id competition_id name owner created_at revoked_at"),
    "unrated": Columns("round_id first"),
    "withheld": Columns(omitted="number competition_id type data at"),  # as the feed
    "writings": Columns(
        "key judge state build failure tries lane queued_at finished_at prompt tokens seed text", omitted="worker"
    ),
}


def encoders(connection: Connection, *, names: bool) -> Callable[[Table], dict[str, Encode]]:
    """Table → its columns that are told, and how; none of some tables. names: people are told as they are."""
    alias = None if names else _pseudonyms(connection)

    def of(table: Table) -> dict[str, Encode]:
        decided, told = DECISIONS[table.name], rows.encoders(table)
        kept, people = decided.kept.split(), decided.people.split()
        return {name: (alias if name in people else None) or told[name] for name in told if name in kept + people}

    return of


def withholding(connection: Connection) -> rows.Change:
    """What a row tells without what players do not see yet, and without the words of plays in which a host has hidden
    something."""
    seen, unhidden = unseen.left_out(connection), _without_hidden(connection)

    def change(table: str, told: dict[str, Any]) -> dict[str, Any] | None:
        kept = seen(table, told)
        return None if kept is None else unhidden(table, kept)

    return change


def _without_hidden(connection: Connection) -> rows.Change:
    """A measurement is left out where hidden words stand in it: nothing tells by whose play it was wanted."""
    query = select(Play.id, Play.moves, Play.events).where(
        Play.id.in_(select(Submission.play_id).where(Submission.hidden))
    )
    plays = connection.execute(query).all()
    hidden = {play for play, _, _ in plays}
    words = {text.strip() for _, moves, events in plays for text in _texts(moves, events)} - {""}
    # Games may have other space between the same words.
    longest_first = sorted((r"\s+".join(map(re.escape, text.split())) for text in words), key=len, reverse=True)
    said = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)") if words else None

    def change(table: str, told: dict[str, Any]) -> dict[str, Any] | None:
        match table:
            case "plays" if told["id"] in hidden:
                return told | {"moves": [], "events": []}
            case "rescored_plays" if told["play_id"] in hidden:
                return told | {"events": []}
            case "needs" if told["play_id"] in hidden:
                return None
            case "measurements" if said and said.search(f"{told['prefix']}{told['text']}"):
                return None
        return told

    return change


def _texts(moves: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What was sent, and what was kept of it."""
    for each in (*moves, *(event for event in events if event["type"] == "move")):
        yield each["text"]


def _pseudonyms(connection: Connection) -> Encode:
    """Value → pseudonym."""
    oldest = select(SigningKey.private).order_by(SigningKey.number).limit(1)
    key = connection.scalar(oldest) or secrets.token_bytes(32)  # of a server that was never started

    def alias(value: str) -> str:
        return f"anon-{hmac.digest(key, b'pseudonym ' + value.encode(), 'sha256').hex()[:16]}"

    return alias
