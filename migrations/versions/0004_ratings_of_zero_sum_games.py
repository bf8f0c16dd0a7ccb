"""Ratings of zero-sum games

Revision: 0004, after: 0003, made: 2026-11-26 15:17:51.203232
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: A round in which White plays may be one of two against each other; who rates it looks at its program.
MARKED = """
INSERT INTO unrated (round_id, first)
SELECT round_id, min(number) FROM submissions
WHERE round_id IN (SELECT round_id FROM submissions WHERE seat = 'white') GROUP BY round_id
"""


def upgrade() -> None:
    op.create_table(
        "ratings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("round_id", sa.String(), nullable=False),
        sa.Column("player_id", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mu", sa.Double(), nullable=False),
        sa.Column("sigma", sa.Double(), nullable=False),
        sa.Column("plays", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["submissions.number"], name=op.f("fk_ratings_number")),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_ratings_player_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_ratings_round_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ratings")),
    )
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.create_index("ix_ratings_round_id_first", ["round_id", "first"], unique=False)
        batch_op.create_index("ix_ratings_player_id_round_id_first", ["player_id", "round_id", "first"], unique=False)
        batch_op.create_index("ix_ratings_round_id_points", ["round_id", "points"], unique=False)

    op.create_table(
        "unrated",
        sa.Column("round_id", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["first"], ["submissions.number"], name=op.f("fk_unrated_first")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_unrated_round_id")),
        sa.PrimaryKeyConstraint("round_id", "first", name=op.f("pk_unrated")),
    )
    op.execute(MARKED)


def downgrade() -> None:
    op.drop_table("unrated")
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.drop_index("ix_ratings_round_id_points")
        batch_op.drop_index("ix_ratings_player_id_round_id_first")
        batch_op.drop_index("ix_ratings_round_id_first")

    op.drop_table("ratings")
