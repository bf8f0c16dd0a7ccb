"""The one door to the database: work is done once or not at all, also when the server goes away."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.database import Database, now
from server.errors import Away
from server.migrations import migrate
from tests.services import Postgres


@pytest.fixture
def counter(database: Database) -> Database:
    database.write(lambda session: session.execute(text("CREATE TABLE counter (n INTEGER)")))
    database.write(lambda session: session.execute(text("INSERT INTO counter VALUES (0)")))
    return database


def value(database: Database) -> int:
    found: int = database.read(lambda session: session.execute(text("SELECT n FROM counter")).scalar_one())
    return found


def add_one(session: Session) -> None:
    n: int = session.execute(text("SELECT n FROM counter FOR UPDATE")).scalar_one()
    session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})


def add_one_on_sqlite(session: Session) -> None:
    n: int = session.execute(text("SELECT n FROM counter")).scalar_one()
    session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})


def test_writers_at_once_lose_no_update(counter: Database) -> None:
    work = add_one_on_sqlite if counter.sqlite else add_one
    threads = [threading.Thread(target=lambda: [counter.write(work) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(counter) == 160


def test_work_that_fails_leaves_nothing(counter: Database) -> None:
    def work(session: Session) -> None:
        session.execute(text("UPDATE counter SET n = 7"))
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        counter.write(work)
    assert value(counter) == 0


def test_what_a_read_writes_is_undone(counter: Database) -> None:
    if counter.sqlite:
        return  # a deferred transaction of SQLite may write; it is rolled back the same way
    counter.read(lambda session: session.execute(text("UPDATE counter SET n = 7")))
    assert value(counter) == 0


def test_the_clock_stands_still_within_a_transaction_and_is_aware(database: Database) -> None:
    first, second = database.read(lambda session: (now(session), now(session)))
    assert first == second
    assert first.tzinfo is not None
    assert database.read(now) > first


def test_a_deadlock_is_run_again(postgres: Postgres) -> None:
    url = postgres.new_database()
    migrate(url)
    database = Database(url)
    database.write(lambda session: session.execute(text("CREATE TABLE pair (id INTEGER, n INTEGER)")))
    database.write(lambda session: session.execute(text("INSERT INTO pair VALUES (1, 0), (2, 0)")))
    both = threading.Barrier(2)

    def work(order: tuple[int, int]) -> None:
        met = False

        def step(session: Session) -> None:
            nonlocal met
            session.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": order[0]})
            if not met:
                met = True
                both.wait(10)
            session.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": order[1]})

        database.write(step)

    threads = [threading.Thread(target=work, args=(order,)) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = database.read(lambda session: session.execute(text("SELECT n FROM pair ORDER BY id")).scalars().all())
    assert rows == [2, 2]
    database.dispose()


def test_a_connection_cut_before_the_commit_is_run_again(postgres: Postgres) -> None:
    database = Database(postgres.new_database())
    database.write(lambda session: session.execute(text("CREATE TABLE counter (n INTEGER)")))
    runs = 0

    def work(session: Session) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        session.execute(text("INSERT INTO counter VALUES (1)"))

    database.write(work)
    assert runs == 2
    assert value(database) == 1
    database.dispose()


def test_no_database_is_an_error_that_says_so() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(Away, match="cannot reach its database"):
        database.read(lambda session: session.execute(text("SELECT 1")))
    database.dispose()
