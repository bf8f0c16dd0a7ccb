"""The rows. They are the truth: what is not here did not happen.

competitions ─┬─ teams ── players ── tokens
              ├─ rounds ─┬─ round_judges ── judges
              │          ├─ attempts, standings      (round, player)
              │          ├─ unrated                  (round, submission)
              │          ├─ rescorings ─┬─ rescored_plays
              │          │              └─ rescores
              │          └─ plays ─┬─ submissions    (play, seat → player) ── ratings
              │                    └─ needs ── measurements
              ├─ announcements
              ├─ feed, withheld                      (competition, number)
              └─ frozen_standings, frozen_ratings    (round, player)
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import boards, lab, rescorings, retention, trust  # noqa: F401 with these tables they are all
from server.db.columns import Base, Counter
from server.db.states import BotPolicy, Joining, PlayerKind, RoundState, Scope, SubmissionState, Total
from server.db.work import QueuedWork


class Judge(Base):
    """A judge that some worker once announced. What the API needs of it is here, so that rounds outlive workers."""

    __tablename__ = "judges"

    identity: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    context: Mapped[int]
    bos: Mapped[int | None]
    direction: Mapped[str]
    dtype: Mapped[str]
    tokenizer: Mapped[str]
    build: Mapped[str]
    created_at: Mapped[datetime]


class Game(Base):
    """A program, known by the digest of its source, which is never edited: a changed one is the name's next version.

    host_id: the token of the host who brought it; null for packaged ones.
    """

    __tablename__ = "games"
    __table_args__ = (UniqueConstraint("name", "version"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    packaged: Mapped[bool]
    title: Mapped[str]
    description: Mapped[str]
    source: Mapped[str]
    host_id: Mapped[str | None] = mapped_column(ForeignKey("tokens.id"))
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Competition(Base):
    """Rounds, players, rules. `last_event` numbers the feed; its row is the last that a transaction locks.

    draft: only hosts see it. frozen_at: since when all but its hosts and observers see the boards as they were.
    """

    __tablename__ = "competitions"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    bots: Mapped[BotPolicy]
    free_measurements: Mapped[bool]
    total: Mapped[Total] = mapped_column(default=Total.FLOORED)
    joining: Mapped[Joining] = mapped_column(default=Joining.OPEN)
    draft: Mapped[bool] = mapped_column(default=False)
    last_event: Mapped[int] = mapped_column(default=0)
    frozen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Team(Base):
    """Players whom a host put together. name_key: what the name looks like; null once it is deleted."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("competition_id", "name_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    name: Mapped[str]
    name_key: Mapped[str | None]
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Player(Base):
    """A participant of one competition.

    name_key: what the name looks like (see `server.arena.names`); null while removed, so that the name is free.
    removal: of those who were removed together, what the bulk is called. pending: waits for a host to let them in.
    external_id: what the host's own lists call them.
    """

    __tablename__ = "players"
    __table_args__ = (
        UniqueConstraint("competition_id", "name_key"),
        Index("ix_players_competition_id_kind_removed", "competition_id", "kind", "removed"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    name: Mapped[str]
    name_key: Mapped[str | None]
    external_id: Mapped[str | None]
    kind: Mapped[PlayerKind]
    pending: Mapped[bool] = mapped_column(default=False)
    removed: Mapped[bool] = mapped_column(default=False)
    removal: Mapped[str | None]
    joined_at: Mapped[datetime]


class Token(Base):
    """A bearer token: kept as a digest, found by its first letters.

    name: whose it is, where it is no player's. owner: a host's of the whole server. competition_id: the only one that a
    co-host's, an observer's or a wall's token is good for; null: those that the host made (`Hosting`).
    """

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str]
    scope: Mapped[Scope]
    player_id: Mapped[str | None] = mapped_column(ForeignKey("players.id"))
    competition_id: Mapped[str | None] = mapped_column(ForeignKey("competitions.id"), index=True)
    name: Mapped[str | None]
    owner: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Hosting(Base):
    """The host who made a competition. None for one of the owner's."""

    __tablename__ = "hosting"

    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    token_id: Mapped[str] = mapped_column(ForeignKey("tokens.id"), index=True)


class Round(Base):
    """A game with all that it is played on, fixed by its first move: editing a game never changes a round.

    number: its place among the competition's. title: the host's, where it has one. draft: only hosts see it, and the
    clock does not open it. duration: seconds that it lasts from when it opens. closed_at: when it last ended.
    archived_at: when a host deleted it. revision: another text after each edit.
    generated: what a judge wrote for it, once all is written. trouble: why it could not be prepared.
    move_seconds: the move clock; a player whose move is not there in time has left. revealed: how the others' moves are
    shown to players (see `server.arena.reveals`); null while they are hidden.
    """

    __tablename__ = "rounds"

    id: Mapped[str] = mapped_column(primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), index=True)
    number: Mapped[int]
    game: Mapped[str]
    digest: Mapped[str] = mapped_column(ForeignKey("games.digest"))
    passages: Mapped[list[Any]]
    seed: Mapped[str]
    profile: Mapped[str]
    state: Mapped[RoundState]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]
    attempts: Mapped[int | None]
    move_seconds: Mapped[int | None]
    generated: Mapped[list[Any]]
    trouble: Mapped[str | None]
    revealed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    title: Mapped[str | None]
    draft: Mapped[bool] = mapped_column(default=False)
    duration: Mapped[int | None]
    closed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    revision: Mapped[str] = mapped_column(default="")
    second_judge: Mapped[str | None] = mapped_column(ForeignKey("judges.identity"))  # see `server.arena.second_judges`
    house: Mapped[dict[str, Any]] = mapped_column(default=dict)  # seat → who answers for it; see `server.arena.house`


class RoundJudge(Base):
    """Which judge answers for a slot of the round's program."""

    __tablename__ = "round_judges"

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(ForeignKey("judges.identity"))


#: The plays that wait for a player. As text, so that databases see that it is the condition of the index.
UNFINISHED = "(awaits IS NOT NULL OR vacant > 0)"


class Play(Base):
    """One run of a round's program: a log of moves. `events` is what the engine last said of it.

    waiting: for measurements. awaits: the seat that is to move, and what it is shown. due_at: when its time is over.
    vacant: how many seats are still to be taken; the play begins when there is none. invited: who may take them,
    where it is not everybody.
    """

    __tablename__ = "plays"
    __table_args__ = (
        Index("ix_plays_due_at", "due_at"),
        Index("ix_plays_round_id_vacant", "round_id", "vacant"),
        # For the sweeper, which looks again and again for a few of very many.
        Index("ix_plays_waiting", "id", sqlite_where=text("waiting = 1"), postgresql_where=text("waiting")),
        Index("ix_plays_unfinished", "id", sqlite_where=text(UNFINISHED), postgresql_where=text(UNFINISHED)),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"))
    moves: Mapped[list[Any]]
    events: Mapped[list[Any]]
    waiting: Mapped[bool]
    awaits: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    due_at: Mapped[datetime | None]
    vacant: Mapped[int] = mapped_column(default=0)
    invited: Mapped[str | None] = mapped_column(ForeignKey("players.id"))


class Submission(Base):
    """A participant's seat in a play. `number` is the order of acceptance.

    practice: of a round that had ended; it counts nowhere.
    passage_millibits: what the passage costs without the player's words, where the score is what they save of it.
    rescoring_id: by which it was scored, where that was not with the judges and the profile of its round.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("play_id", "seat"),
        Index("ix_submissions_player_id_number", "player_id", "number"),
    )

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    play_id: Mapped[str] = mapped_column(ForeignKey("plays.id"))
    seat: Mapped[str]
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"), index=True)
    player_id: Mapped[str] = mapped_column(ForeignKey("players.id"))
    state: Mapped[SubmissionState]
    millibits: Mapped[int | None] = mapped_column(BigInteger)
    passage_millibits: Mapped[int | None] = mapped_column(BigInteger)
    rewards: Mapped[dict[str, Any] | None]
    reason: Mapped[dict[str, Any] | None]
    build: Mapped[str | None]
    engine: Mapped[str]
    hidden: Mapped[bool] = mapped_column(default=False)
    practice: Mapped[bool] = mapped_column(default=False)
    rescoring_id: Mapped[str | None] = mapped_column(ForeignKey("rescorings.id"))
    accepted_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Measurement(QueuedWork, Base):
    """The bits of (prefix, text) under (judge, profile): `key` is the digest of these four.

    bits: one float32 a scored token, little-endian, once known.
    """

    __tablename__ = "measurements"
    __table_args__ = (
        Index("ix_measurements_state_judge_queued_at", "state", "judge", "queued_at"),
        Index("ix_measurements_player_id_state", "player_id", "state"),
    )

    profile: Mapped[str]
    prefix: Mapped[str]
    text: Mapped[str]
    bits: Mapped[bytes | None] = mapped_column(LargeBinary)
    player_id: Mapped[str | None] = mapped_column(ForeignKey("players.id"))


class Generation(QueuedWork, Base):
    """A text that a judge writes for rounds: `tokens` tokens after `prompt`, drawn from `seed`.

    `key` is the digest of judge, prompt, tokens and seed: the same four give the same text.
    """

    __tablename__ = "writings"
    __table_args__ = (Index("ix_writings_state_queued_at", "state", "queued_at"),)

    prompt: Mapped[str]
    tokens: Mapped[int]
    seed: Mapped[str]
    text: Mapped[str | None]


class PendingMeasurement(Base):
    """This play waits for this measurement."""

    __tablename__ = "needs"

    key: Mapped[str] = mapped_column(ForeignKey("measurements.key"), primary_key=True)
    play_id: Mapped[str] = mapped_column(ForeignKey("plays.id"), primary_key=True, index=True)


class Attempt(Base):
    """How many attempts a player has used in a round."""

    __tablename__ = "attempts"

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    player_id: Mapped[str] = mapped_column(ForeignKey("players.id"), primary_key=True)
    used: Mapped[int]


class FeedEvent(Base):
    """What happened in a competition, in commit order. Never a move."""

    __tablename__ = "feed"

    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class WithheldEvent(Base):
    """What happened while the boards were frozen, and tells of scores: it comes into the feed when they thaw."""

    __tablename__ = "withheld"

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), index=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class IdempotencyKey(Base):
    """An Idempotency-Key that was seen, and what it made. Kept as long as the submission."""

    __tablename__ = "repeats"

    token_id: Mapped[str] = mapped_column(ForeignKey("tokens.id"), primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    submission_id: Mapped[str]


class Audit(Base):
    """What a host did. competition_id: in which competition; null for what is of the whole server."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_competition_id_number", "competition_id", "number"),)

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    competition_id: Mapped[str | None]
    at: Mapped[datetime]
    token_id: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]


class SigningKey(Base):
    """A key by which receipts are signed; the highest number signs.

    id: its fingerprint. private: 32 bytes (Ed25519).
    """

    __tablename__ = "signing_keys"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(unique=True)
    private: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class Announcement(Base):
    """A line that a host tells everyone in a competition."""

    __tablename__ = "announcements"

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), index=True)
    text: Mapped[str]
    made_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
