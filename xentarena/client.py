"""The Python client of a server's HTTP API.

    with Client("http://127.0.0.1:8000") as client:
        client.join("K7QWPX", "Ada")
        for round in client.rounds():
            submission = client.wait_for(client.submit(round.id, "sea ship"))
            log.info("%s bits", submission.bits)

What can be repeated without harm is repeated: a submission always carries an Idempotency-Key, and goes out again with
the same key when the server was away (503, no connection) or asked for patience (429 with Retry-After).
"""

import json
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self, TypeVar

from xentarena import models
from xentarena.errors import ApiError, ArenaError
from xentarena.feed import follow
from xentarena.lab_client import HOLD, LabClient
from xentarena.transport import NOT_DONE, Call, Transport, pause

T = TypeVar("T", bound=models.WireModel)

BATCH, BATCH_BYTES = 32, 48_000  # what the server takes at once: so many items, and 64 KB with everything
WAITING = frozenset({"queued", "awaiting_opponent"})  # states in which it is others who have to do something


class Client(LabClient):
    """A player's (or a host's) view of one server. Not to be shared between threads.

    Every method raises `ApiError` where the server refuses, and `ServerUnavailable` where it cannot be reached for
    `patience` seconds. Times are seconds, scores bits.
    """

    def __init__(self, server: str, token: str | None = None, *, timeout: float = 30, patience: float = 60) -> None:
        self._transport = Transport(server, token, timeout=timeout, patience=patience)
        self._competition: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.http.close()

    @property
    def token(self) -> str | None:
        """The bearer token in use. Keep it to come back as the same player."""
        return self._transport.token

    def join(self, code: str, name: str, kind: models.PlayerKind = "bot") -> models.Joined:
        """Join the competition with this code as a new player, and go on as that player.

        Not sent again once it may have arrived: a second one would find the name taken.
        """
        body = {"code": code, "name": name, "kind": kind}
        call = Call("POST", "/competitions:join", body=body, repeatable=False)
        joined = self._transport.send(call, models.Joined)
        self._transport.token = joined.token
        self._competition = joined.player.competition
        return joined

    def me(self) -> models.Me:
        """Who the token belongs to."""
        return self._get("/me", models.Me)

    def wait_to_be_let_in(self, seconds: float = 600) -> models.Me:
        """Who the token belongs to, once a host has let them in; at once where nobody has to. Raises `ArenaError` when
        that takes longer."""
        deadline = monotonic() + seconds
        while True:
            wait = min(HOLD, max(0.0, deadline - monotonic()))
            me = self._get("/me", models.Me, wait=wait)
            if me.player is None or not me.player.pending:
                return me
            if monotonic() >= deadline:
                raise ArenaError(f"The host has not let {me.player.name!r} in within {seconds:.0f} seconds.")

    def competition(self, competition: str | None = None) -> models.Competition:
        """A competition; the token's own where none is named."""
        return self._get(f"/competitions/{competition or self._own()}", models.Competition)

    def rounds(self, competition: str | None = None) -> list[models.Round]:
        """All rounds of a competition; of the token's own where none is named."""
        return list(self._pages(f"/competitions/{competition or self._own()}/rounds", models.Round))

    def round(self, round_id: str) -> models.Round:
        return self._get(f"/rounds/{round_id}", models.Round)

    def game(self, game: str) -> models.Game:
        """A game by name or digest, with its front page."""
        return self._get(f"/games/{game}", models.Game)

    def submit(
        self, round_id: str, move: str, *, wait: float = HOLD, key: str | None = None, practice: bool = False
    ) -> models.Submission:
        """Send a move. The answer comes when the score is there, or after `wait` seconds (at most 60) without it.

        key: the Idempotency-Key, one for each move that is meant to count by itself; made up where none is given.
        practice: in a round that has ended; it counts nowhere.
        """
        return self._step(f"/rounds/{round_id}/submissions", {"move": move} | _flag(practice), wait, key)

    def preview(
        self, round_id: str, move: str, *, submission: str | None = None, practice: bool = False
    ) -> models.Preview:
        """What the rules say of a move, without making it. submission: the play to move on in; None: a new one."""
        body = {"move": move} | ({} if submission is None else {"submission": submission}) | _flag(practice)
        return self._transport.send(Call("POST", f"/rounds/{round_id}/moves:preview", body=body), models.Preview)

    def move_again(
        self, submission_id: str, move: str, *, wait: float = HOLD, key: str | None = None
    ) -> models.Submission:
        """Send a further move to a play that awaits one."""
        return self._step(f"/submissions/{submission_id}/moves", {"move": move}, wait, key)

    def begin(
        self, round_id: str, *, wait: float = HOLD, key: str | None = None, practice: bool = False
    ) -> models.Submission:
        """Begin a play without a move: what it shows and asks for stands in the submission's `awaits`."""
        return self._step(f"/rounds/{round_id}/submissions:begin", _flag(practice) or None, wait, key)

    def challenges(self, round_id: str) -> list[models.Challenge]:
        """The plays of a game of several seats that wait for players."""
        return list(self._pages(f"/rounds/{round_id}/challenges", models.Challenge))

    def challenge(
        self,
        round_id: str,
        *,
        seat: str | None = None,
        invite: str | None = None,
        wait: float = 0,
        key: str | None = None,
    ) -> models.Submission:
        """Play with whoever waits already or comes; with `invite` (a player's id or name) with that player alone."""
        wanted = {"seat": seat, "invite": invite}
        return self._step(f"/rounds/{round_id}/challenges", wanted, wait, key)

    def accept(
        self, challenge_id: str, *, seat: str | None = None, wait: float = HOLD, key: str | None = None
    ) -> models.Submission:
        """Take a free seat of this challenge."""
        return self._step(f"/challenges/{challenge_id}:accept", {"seat": seat}, wait, key)

    def resign(self, submission_id: str) -> models.Submission:
        """Give a play up, or take back a challenge that nobody has taken up."""
        call = Call("POST", f"/submissions/{submission_id}:resign", repeatable=False)
        return self._transport.send(call, models.Submission)

    def submit_batch(
        self,
        round_id: str,
        moves: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        wait: float = 0,
        practice: bool = False,
    ) -> list[models.Submission | ApiError]:
        """Send many moves; for each, in order, its submission or why it was refused.

        wait: seconds, in all, that scores are waited for; without, or after them, submissions may still be queued.
        """
        keys = [_new_key() for _ in moves] if keys is None else keys
        items = [{"move": move, "key": key} | _flag(practice) for move, key in zip(moves, keys, strict=True)]
        sent = [outcome for chunk in _chunks(items) for outcome in self._send_batch(round_id, chunk)]
        deadline = monotonic() + wait
        return [self._later(each, deadline) if isinstance(each, models.Submission) else each for each in sent]

    def _later(self, submission: models.Submission, deadline: float) -> models.Submission:
        """The submission once it is final or awaits a move, or as it is at the deadline."""
        while submission.state in WAITING and (left := deadline - monotonic()) > 0:
            submission = self.submission(submission.id, wait=min(HOLD, left))
        return submission

    def submission(self, submission_id: str, *, wait: float = 0) -> models.Submission:
        """A submission as it is now, or as it is when final, if that takes no longer than `wait` seconds."""
        return self._get(f"/submissions/{submission_id}", models.Submission, wait=wait)

    def wait_for(self, submission: models.Submission, seconds: float = 600) -> models.Submission:
        """The submission once it is final or awaits a move of ours. Raises `ArenaError` when that takes longer."""
        submission = self._later(submission, monotonic() + seconds)
        if submission.state in WAITING:
            raise ArenaError(f"Submission {submission.id} is still {submission.state} after {seconds:.0f} seconds.")
        return submission

    def receipt(self, submission_id: str) -> dict[str, Any]:
        """What a scored submission's score can be computed again from, signed by the server. Keep it as JSON;
        `xentarena verify` checks it."""
        call = Call("GET", f"/submissions/{submission_id}/receipt")
        return self._transport.send(call, models.Signed).root

    def leaderboard(self, round_id: str) -> list[models.BoardEntry]:
        """The whole board of a round, best first."""
        return list(self._pages(f"/rounds/{round_id}/leaderboard", models.BoardEntry))

    def revealed(self, round_id: str) -> list[models.RevealedMove]:
        """What others wrote in a closed round, best first, as far as its host reveals it."""
        return list(self._pages(f"/rounds/{round_id}/moves", models.RevealedMove))

    def revealed_play(self, round_id: str, move_id: str) -> models.RevealedPlay:
        """One of these moves with the events of its play."""
        return self._get(f"/rounds/{round_id}/moves/{move_id}", models.RevealedPlay)

    def competition_leaderboard(self, competition: str | None = None) -> list[models.BoardEntry]:
        """The board over all rounds of a competition, best first."""
        return list(self._pages(f"/competitions/{competition or self._own()}/leaderboard", models.BoardEntry))

    def league(self, competition: str | None = None) -> list[models.LeagueEntry]:
        """The competition's programs, rated over all rounds that have ended, best first."""
        return list(self._pages(f"/competitions/{competition or self._own()}/league", models.LeagueEntry))

    def players(self, competition: str) -> list[models.Player]:
        """Everyone who joined, in order of joining. Hosts only."""
        return list(self._pages(f"/competitions/{competition}/players", models.Player))

    def add_roster(self, competition: str, roster: str | Path) -> list[models.Joined]:
        """Make a player of each line of a text or a file, with a key that is shown this once. All of them or none.

        Hosts only. Not sent again once it may have arrived: a second one would find the names taken.
        """
        data = roster.read_bytes() if isinstance(roster, Path) else roster.encode()
        call = Call("POST", f"/competitions/{competition}/roster", body=data, repeatable=False)
        return self._transport.send(call, models.Page[models.Joined]).items

    def new_key(self, player_id: str) -> models.Joined:
        """A new token for a player; those of before end at once. Hosts only."""
        return self._transport.send(Call("POST", f"/players/{player_id}:new-key", repeatable=False), models.Joined)

    def save_results(self, file: Path, competition: str | None = None) -> None:
        """Write everyone's best in each round to a CSV file. Hosts only."""
        self._transport.save(f"/competitions/{competition or self._own()}/results.csv", file)

    def save_moves(self, file: Path, competition: str | None = None) -> None:
        """Write every move to a file: CSV where its name ends so, JSON Lines otherwise. Hosts only."""
        kind = "csv" if file.suffix.lower() == ".csv" else "jsonl"
        self._transport.save(f"/competitions/{competition or self._own()}/moves.{kind}", file)

    def announcements(self, competition: str | None = None) -> list[models.Announcement]:
        """What the host has told everyone and not withdrawn, newest first. The feed says when there is a new one."""
        return list(self._pages(f"/competitions/{competition or self._own()}/announcements", models.Announcement))

    def events(self, competition: str | None = None, *, after: int = 0) -> Generator[models.Event]:
        """Everything that happened after event `after`, then whatever happens, each once, in order.

        Never ends by itself: it takes up where it was whenever the stream breaks off. An event of type `reset` says
        that more has happened than the server tells, so that what is known has to be fetched again; the feed goes on
        after its number. `after=0` tells the last 4,096 events at most.
        """
        return follow(self._transport, f"/competitions/{competition or self._own()}/events", after)

    def _own(self) -> str:
        if self._competition is None:
            self._competition = self.me().competition
        if self._competition is None:
            raise ArenaError("This token belongs to no competition; name one.")
        return self._competition

    def _step(self, path: str, body: Mapping[str, object] | None, wait: float, key: str | None) -> models.Submission:
        call = Call("POST", path, {"wait": wait}, body, key or _new_key(), wait=wait)
        return self._transport.send(call, models.Submission)

    def _send_batch(self, round_id: str, items: Sequence[Mapping[str, object]]) -> list[models.Submission | ApiError]:
        """One batch; items that were refused only for the moment are sent again, with the same keys."""
        outcomes: dict[int, models.Submission | ApiError] = {}
        deadline = monotonic() + self._transport.patience
        for attempt in count():
            left = [i for i in range(len(items)) if i not in outcomes]
            pauses: list[float] = []
            body = {"items": [items[i] for i in left]}
            call = Call("POST", f"/rounds/{round_id}/submissions:batch", body=body)
            for i, result in zip(left, self._transport.send(call, models.BatchResults).items, strict=True):
                outcome = _outcome(result)
                if isinstance(outcome, ApiError) and outcome.status in NOT_DONE:
                    pauses.append(outcome.retry_after or pause(attempt))
                    if monotonic() + pauses[-1] <= deadline:
                        continue
                outcomes[i] = outcome
            if len(outcomes) == len(items):
                break
            sleep(max(pauses))
        return [outcomes[i] for i in range(len(items))]

    def _get(self, path: str, shape: type[T], *, wait: float = 0) -> T:
        return self._transport.send(Call("GET", path, {"wait": wait} if wait else None, wait=wait), shape)

    def _pages(self, path: str, model: type[T]) -> Iterator[T]:
        params: dict[str, str | int | float] = {}
        while True:
            page = self._transport.send(Call("GET", path, params), models.Page[model])  # type: ignore[valid-type]
            yield from page.items
            if page.next is None:
                return
            params = {"cursor": page.next}


def _flag(practice: bool) -> dict[str, object]:
    """Said only where it is so: an older server does not know the word."""
    return {"practice": True} if practice else {}


def _new_key() -> str:
    return uuid.uuid4().hex


def _chunks(items: Sequence[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    """Items in portions that the server takes at once."""
    chunk: list[Mapping[str, object]] = []
    size = 0
    for item in items:
        length = len(json.dumps(item))
        if chunk and (len(chunk) == BATCH or size + length > BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk


def _outcome(result: models.BatchResult) -> models.Submission | ApiError:
    if result.submission is not None:
        return result.submission
    if result.problem is not None:
        return ApiError.of(result.problem)
    return ApiError("http-error", result.status, "The server said nothing about this item.")
