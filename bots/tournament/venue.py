"""A tournament at a server: its competition, its rounds and its players, each made where it is not there yet."""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bots.tournament.folder import Cell, Folder, write
from bots.tournament.plan import GameTable, Plan, PlanError
from xentarena import models
from xentarena.client import Client
from xentarena.errors import ApiError
from xentarena.transport import Call, Transport

SEATS = ("black", "white")
CLOCK = 604_800  # seconds for a move: a tournament that was interrupted goes on
WRITING = 300.0  # seconds that a judge may take to write the texts of a round


class Competition(models.Competition):
    code: str


@dataclass(frozen=True, slots=True)
class Venue:
    """rounds: in the order of the plan. tokens: name at the server → token."""

    server: str
    competition: str
    rounds: list[models.Round]
    games: dict[str, models.Game]
    tokens: dict[str, str]


def prepare(plan: Plan, folder: Folder, cells: list[Cell], server: str, host_token: str) -> Venue:
    """Whatever was made before a kill is found by its name. Raises `PlanError` for what a server refuses."""
    transport = Transport(server, host_token, timeout=30, patience=60)
    with closing(transport.http), Client(server, host_token) as host:
        competition = _competition(transport, f"{plan.title} {folder.name}")
        rounds = _rounds(host, transport, plan, competition.id)
        games = {round_.digest: host.game(round_.digest) for round_ in rounds}
        for planned, round_ in zip(plan.rounds, rounds, strict=True):
            _check_seats(planned.game, games[round_.digest])
        seats = {name for cell in cells for name in (cell.seat, cell.other_seat) if name is not None}
        tokens = _tokens(host, server, folder, competition, sorted(seats))
        for round_ in rounds:
            if round_.state != "open":
                raise PlanError(f"Round {round_.number} ({round_.game}) of the tournament is {round_.state}: open it.")
    return Venue(server, competition.id, rounds, games, tokens)


def _check_seats(planned: GameTable, game: models.Game) -> None:
    if planned.versus and sorted(game.seats) != sorted(SEATS):
        raise PlanError(f"{game.title} cannot be played with versus = true: that is for games of black against white.")
    if not planned.versus and len(game.seats) > 1:
        several = f"{game.title} has {len(game.seats)} seats"
        raise PlanError(f"{several}: a tournament plays games of one seat, and with versus = true of black and white.")


def save_ratings(venue: Venue, plan: Plan, host_token: str, file: Path) -> None:
    """Round → name at the server → rating, of those rounds in which players play each other."""
    found = {}
    with Client(venue.server, host_token) as host:
        for number, (planned, round_) in enumerate(zip(plan.rounds, venue.rounds, strict=True), 1):
            if planned.game.versus:
                rated = [(each.player.name, each.rating) for each in host.leaderboard(round_.id)]
                found[str(number)] = {name: of.model_dump(mode="json") for name, of in rated if of is not None}
    if found:
        write(file, json.dumps(found))


def save_results(venue: Venue, host_token: str, file: Path) -> None:
    """What the server itself says of everybody's best, as its hosts get it."""
    with Client(venue.server, host_token) as host:
        host.save_results(file, venue.competition)


def _competition(transport: Transport, name: str) -> Competition:
    page = transport.send(Call("GET", "/competitions", {"limit": 1_000}), models.Page[Competition])
    if found := [each for each in page.items if each.name == name]:
        return found[0]
    body = {"name": name, "bots": "mixed", "total": "bits"}
    try:
        return transport.send(Call("POST", "/competitions", body=body, repeatable=False), Competition)
    except ApiError as error:
        raise PlanError(f"The server makes no competition: {error.detail} (is the host's token right?)") from error


def _rounds(host: Client, transport: Transport, plan: Plan, competition: str) -> list[models.Round]:
    """Those that are there were made in the order of the plan."""
    made = sorted(host.rounds(competition), key=lambda each: each.number or 0)
    for wanted in plan.rounds[len(made) :]:
        name = _uploaded(transport, plan, wanted.game)
        body: dict[str, object] = {
            "game": name,
            "passages": wanted.passages,
            "seed": wanted.seed,
            "profile": wanted.game.profile,
        }
        if wanted.game.versus:
            body["move_seconds"] = CLOCK
        try:
            call = Call("POST", f"/competitions/{competition}/rounds", body=body, repeatable=False)
            made.append(_written(host, transport.send(call, models.Round)))
        except ApiError as error:
            where = "".join(f" {each.pointer}: {each.detail}" for each in error.errors)
            raise PlanError(f"The game {wanted.game.game!r} cannot be played: {error.detail}{where}") from error
    return made


def _written(host: Client, round_: models.Round) -> models.Round:
    """The round once a judge has written what its game wants of it."""
    deadline = monotonic() + WRITING
    while round_.state == "preparing" and monotonic() < deadline:
        sleep(0.2)
        round_ = host.round(round_.id)
    return round_


def _uploaded(transport: Transport, plan: Plan, game: GameTable) -> str:
    """The name of a game, or the digest of one that the plan brings along."""
    from xentarena import programs

    if game.source is None and not game.game.endswith(".xent"):
        return game.game
    source = game.source or programs.read(Path(plan.file(game.game)))
    try:
        return transport.send(Call("POST", "/games", body={"source": source}), models.Game).digest
    except ApiError as error:
        where = "".join(f"\n  {each.detail}" for each in error.errors)
        raise PlanError(f"{game.game} is no game: {error.detail}{where}") from error


def _tokens(host: Client, server: str, folder: Folder, competition: Competition, seats: list[str]) -> dict[str, str]:
    """Everybody's, joined where they have not. One who joined just before a kill gets a new key: nothing was played."""
    tokens = folder.tokens()
    there = {each.name: each.id for each in host.players(competition.id)}
    for seat in seats:
        if seat not in tokens:
            if seat in there:
                tokens[seat] = host.new_key(there[seat]).token
            else:
                with Client(server) as client:
                    tokens[seat] = client.join(competition.code, seat).token
            folder.keep_tokens(tokens)
    return tokens
