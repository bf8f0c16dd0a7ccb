"""Frozen boards; of audits, in which competition; of older scores, what they are a share of

Revision: 0009, after: 0008, made: 2026-11-26 18:53:41.347724
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from server.arena.totals import passage_millibits

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PORTION = 200  # plays that are in memory at a time

#: An action is of the competition of what it was done to. Those done to games are of the whole server.
PLACED = """
UPDATE audit SET competition_id = coalesce(
    (SELECT id FROM competitions WHERE id = audit.target),
    (SELECT competition_id FROM rounds WHERE id = audit.target),
    (SELECT competition_id FROM players WHERE id = audit.target),
    (SELECT rounds.competition_id FROM submissions JOIN rounds ON rounds.id = submissions.round_id
     WHERE submissions.id = audit.target)
)
"""


def upgrade() -> None:
    op.create_table(
        "withheld",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("competition_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_withheld_competition_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_withheld")),
    )
    with op.batch_alter_table("withheld", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withheld_competition_id"), ["competition_id"], unique=False)

    op.create_table(
        "frozen_ratings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("round_id", sa.String(), nullable=False),
        sa.Column("player_id", sa.String(), nullable=False),
        sa.Column("mu", sa.Double(), nullable=False),
        sa.Column("sigma", sa.Double(), nullable=False),
        sa.Column("plays", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["submissions.number"], name=op.f("fk_frozen_ratings_number")),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_frozen_ratings_player_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_frozen_ratings_round_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_frozen_ratings")),
    )
    with op.batch_alter_table("frozen_ratings", schema=None) as batch_op:
        batch_op.create_index("ix_frozen_ratings_player_id", ["player_id"], unique=False)
        batch_op.create_index("ix_frozen_ratings_round_id_points", ["round_id", "points"], unique=False)

    op.create_table(
        "frozen_standings",
        sa.Column("round_id", sa.String(), nullable=False),
        sa.Column("player_id", sa.String(), nullable=False),
        sa.Column("millibits", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["submissions.number"], name=op.f("fk_frozen_standings_number")),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_frozen_standings_player_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_frozen_standings_round_id")),
        sa.PrimaryKeyConstraint("round_id", "player_id", name=op.f("pk_frozen_standings")),
    )
    with op.batch_alter_table("frozen_standings", schema=None) as batch_op:
        batch_op.create_index("ix_frozen_standings_board", ["round_id", "millibits", "number"], unique=False)
        batch_op.create_index("ix_frozen_standings_player_id", ["player_id"], unique=False)

    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("competition_id", sa.String(), nullable=True))
        batch_op.create_index("ix_audit_competition_id_number", ["competition_id", "number"], unique=False)

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("players", schema=None) as batch_op:
        batch_op.create_index(
            "ix_players_competition_id_kind_removed", ["competition_id", "kind", "removed"], unique=False
        )

    with op.batch_alter_table("standings", schema=None) as batch_op:
        batch_op.create_index("ix_standings_player_id", ["player_id"], unique=False)

    op.execute(PLACED)
    _fill_shares()


def _fill_shares() -> None:
    """What the passage costs without the player's words, for moves that were scored before that was noted."""
    connection = op.get_bind()
    statement = sa.update(SUBMISSIONS).where(SUBMISSIONS.c.number == sa.bindparam("here"))
    statement = statement.values(passage_millibits=sa.bindparam("cost"))
    query = (
        sa.select(SUBMISSIONS.c.number, SUBMISSIONS.c.seat, PLAYS.c.events, ROUNDS.c.passages)
        .join(PLAYS, PLAYS.c.id == SUBMISSIONS.c.play_id)
        .join(ROUNDS, ROUNDS.c.id == SUBMISSIONS.c.round_id)
        .where(SUBMISSIONS.c.state == "scored", SUBMISSIONS.c.passage_millibits.is_(None))
        .order_by(SUBMISSIONS.c.number)
        .limit(PORTION)
    )
    number = 0
    while portion := connection.execute(query.where(SUBMISSIONS.c.number > number)).all():
        found = [{"here": row.number, "cost": _cost(row)} for row in portion]
        if known := [each for each in found if each["cost"] is not None]:
            connection.execute(statement, known)
        number = portion[-1].number


def _cost(row: Any) -> int | None:
    return passage_millibits(row.events, row.seat, row.passages)


SUBMISSIONS = sa.table(
    "submissions",
    sa.column("number", sa.BigInteger),
    sa.column("play_id", sa.String),
    sa.column("round_id", sa.String),
    sa.column("seat", sa.String),
    sa.column("state", sa.String),
    sa.column("passage_millibits", sa.BigInteger),
)
PLAYS = sa.table("plays", sa.column("id", sa.String), sa.column("events", sa.JSON))
ROUNDS = sa.table("rounds", sa.column("id", sa.String), sa.column("passages", sa.JSON))


def downgrade() -> None:
    with op.batch_alter_table("standings", schema=None) as batch_op:
        batch_op.drop_index("ix_standings_player_id")

    with op.batch_alter_table("players", schema=None) as batch_op:
        batch_op.drop_index("ix_players_competition_id_kind_removed")

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("frozen_at")

    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_competition_id_number")
        batch_op.drop_column("competition_id")

    with op.batch_alter_table("frozen_standings", schema=None) as batch_op:
        batch_op.drop_index("ix_frozen_standings_player_id")
        batch_op.drop_index("ix_frozen_standings_board")

    op.drop_table("frozen_standings")
    with op.batch_alter_table("frozen_ratings", schema=None) as batch_op:
        batch_op.drop_index("ix_frozen_ratings_round_id_points")
        batch_op.drop_index("ix_frozen_ratings_player_id")

    op.drop_table("frozen_ratings")
    with op.batch_alter_table("withheld", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_withheld_competition_id"))

    op.drop_table("withheld")
