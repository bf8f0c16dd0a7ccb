"""One door to the database: whole transactions, run again where they were undone, and 503 where nobody is there."""

import sqlite3
import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.db.models import Competition
from server.db.session import Database, now
from server.errors import Unavailable
from tests.support.databases import sqlite_at
from tests.support.services import Postgres, free_port

pytestmark = pytest.mark.both_databases


def competition(name: str) -> str:
    return (
        "INSERT INTO competitions"
        " (id, name, code, bots, free_measurements, total, joining, draft, last_event, created_at) VALUES"
        f" ('{name}', '{name}', '{name}', 'none', false, 'bits', 'open', false, 0, '2026-01-01 00:00:00')"
    )


def add(database: Database, name: str) -> None:
    database.write(lambda session: session.execute(text(competition(name))))


def count(database: Database) -> int:
    query = select(func.count()).select_from(Competition)
    return database.read(lambda session: session.scalars(query).one())


def test_a_write_is_whole_or_nothing(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(text(competition("a")))
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        database.write(work)
    assert count(database) == 0
    add(database, "a")
    assert count(database) == 1


def test_a_read_keeps_nothing(database: Database) -> None:
    database.read(lambda session: session.execute(text(competition("a"))))
    assert count(database) == 0


def test_threads_that_add_to_one_number_lose_nothing(database: Database) -> None:
    add(database, "a")

    def work(session: Session) -> None:
        row = session.get(Competition, "a", with_for_update=True)
        assert row
        row.last_event += 1

    def hammer() -> None:
        for _ in range(20):
            database.write(work)

    threads = [threading.Thread(target=hammer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = database.read(lambda session: session.get_one(Competition, "a"))
    assert row.last_event == 120


def test_the_clock_stands_still_within_a_transaction(database: Database) -> None:
    def work(session: Session) -> float:
        first = now(session)
        time.sleep(0.02)
        return (now(session) - first).total_seconds()

    assert database.read(work) == 0
    assert database.read(now) < database.read(now)


def test_a_deadlock_is_run_again_and_nobody_hears_of_it(postgres: Postgres) -> None:
    database = Database(url_of_a_new(postgres))
    for name in "ab":
        add(database, name)
    both, runs = threading.Barrier(2), []

    def swap(first: str, second: str) -> None:
        def work(session: Session) -> None:
            runs.append(first)
            session.get(Competition, first, with_for_update=True)
            if len(runs) <= 2:
                both.wait(10)
            row = session.get(Competition, second, with_for_update=True)
            assert row
            row.last_event += 1

        database.write(work)

    threads = [threading.Thread(target=swap, args=order) for order in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) >= 3, "one of them was undone and run again"
    rows = database.read(lambda session: [session.get_one(Competition, name).last_event for name in "ab"])
    assert rows == [1, 1]
    database.dispose()


def test_a_connection_that_was_cut_is_made_again(postgres: Postgres) -> None:
    database = Database(url_of_a_new(postgres), connections=2)
    add(database, "a")
    mine = database.read(lambda session: session.execute(text("SELECT pg_backend_pid()")).scalar_one())
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (mine,))
    add(database, "b")
    assert count(database) == 2
    database.dispose()


def test_a_connection_that_is_cut_in_the_middle_costs_another_run_and_no_more(postgres: Postgres) -> None:
    database = Database(url_of_a_new(postgres))
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.execute(text(competition("a")))
        if len(runs) == 1:
            mine = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", (mine,))
        session.execute(text("SELECT 1"))

    database.write(work)
    assert (len(runs), count(database)) == (2, 1)
    database.dispose()


@pytest.mark.parametrize("rows_after", [0, 1])
def test_a_connection_that_is_cut_in_a_view_costs_another_look_at_most(postgres: Postgres, rows_after: int) -> None:
    database = Database(url_of_a_new(postgres))
    add(database, "a")
    looks = []
    session, row = database.commit(lambda session: session.get_one(Competition, "a"))

    def view() -> str:
        looks.append(1)
        mine = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        if len(looks) == 1:
            with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", (mine,))
        for _ in range(rows_after):
            session.execute(text("SELECT 1"))
        return row.id

    assert database.look(session, view) == "a"
    assert len(looks) == 2
    assert count(database) == 1
    database.dispose()


def test_where_no_database_answers_the_error_is_away() -> None:
    database = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    with pytest.raises(Unavailable) as error:
        count(database)
    assert (error.value.type, error.value.status) == ("database-away", 503)
    assert error.value.retry_after
    database.dispose()


def test_a_mistake_of_ours_is_not_tried_again(database: Database) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.execute(text("SELECT no_such_column FROM competitions"))

    with pytest.raises(Exception, match="no_such_column"):
        database.write(work)
    assert len(runs) == 1


def test_a_sqlite_file_that_another_holds_too_long_is_away(tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "test.sqlite3")
    database = Database(url, connections=1)
    database.read(lambda session: session.execute(text("PRAGMA busy_timeout = 50")))
    with sqlite3.connect(tmp_path / "test.sqlite3", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            add(database, "a")
        assert count(database) == 0, "reading goes on"
        other.execute("ROLLBACK")
    other.close()
    add(database, "a")
    database.dispose()


def url_of_a_new(postgres: Postgres) -> str:
    return postgres.migrated_database()
