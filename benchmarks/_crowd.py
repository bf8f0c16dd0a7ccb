"""A class that has been there for a while, written into a server's database: players, their bests, events, games.

By the names of tables and columns alone, so that it can be done to older versions too.
"""

from sqlalchemy import Connection, Engine, create_engine, inspect, text

from server.db.session import normalised

PLAYERS, EVENTS, GAMES = 10_000, 10_000, 300


def settle(database_url: str, competition: str, player: str) -> None:
    """A crowd in a competition, made after a player who has one submission that is scored."""
    engine = create_engine(normalised(database_url))
    like = {"player": player, "competition": competition}
    with engine.begin() as connection:
        here = "t.id = :player"
        made = {"id": "'ply_crowd' || i", "name": "'crowd ' || i", "name_key": "'crowd ' || i"}
        _copies(engine, connection, "players", PLAYERS, here, made, like)
        made = {"player_id": "'ply_crowd' || i", "millibits": "t.millibits - i"}
        _copies(engine, connection, "standings", PLAYERS, "t.player_id = :player", made, like)
        newest = text("SELECT max(number) FROM feed WHERE competition_id = :competition")
        last = connection.execute(newest, like).scalar_one()
        here = f"t.competition_id = :competition AND t.number = {last}"
        _copies(engine, connection, "feed", EVENTS, here, {"number": f"{last} + i"}, like)
        counted = text(f"UPDATE competitions SET last_event = {last + EVENTS} WHERE id = :competition")
        connection.execute(counted, like)
        made = {"digest": "'crowd' || i", "name": "'crowd-' || i", "packaged": "false"}
        _copies(engine, connection, "games", GAMES, "t.name = 'condense' AND t.version = 1", made, {})
        connection.execute(text("ANALYZE"))
    engine.dispose()


def _copies(
    engine: Engine,
    connection: Connection,
    table: str,
    count: int,
    which: str,
    made: dict[str, str],
    like: dict[str, str],
) -> None:
    """So many rows like one that is there, but for some columns, in which `i` counts them."""
    columns = [column["name"] for column in inspect(engine).get_columns(table)]
    values = ", ".join(made.get(column, f"t.{column}") for column in columns)
    statement = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM n, {table} t WHERE {which}"
    )
    connection.execute(text(statement), like)
