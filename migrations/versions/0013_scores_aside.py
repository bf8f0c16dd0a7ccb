"""Scores aside

Revision: 0013, after: 0012, made: 2026-11-26 20:08:30.244194
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rescorings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("round_id", sa.String(), nullable=False),
        sa.Column("judges", sa.JSON(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column(
            "state", sa.Enum("running", "applied", "dropped", name="rescoringstate", native_enum=False), nullable=False
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_rescorings_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rescorings")),
    )
    with op.batch_alter_table("rescorings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rescorings_round_id"), ["round_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rescorings_state"), ["state"], unique=False)

    op.create_table(
        "rescored_plays",
        sa.Column("rescoring_id", sa.String(), nullable=False),
        sa.Column("play_id", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("build", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["play_id"], ["plays.id"], name=op.f("fk_rescored_plays_play_id")),
        sa.ForeignKeyConstraint(["rescoring_id"], ["rescorings.id"], name=op.f("fk_rescored_plays_rescoring_id")),
        sa.PrimaryKeyConstraint("rescoring_id", "play_id", name=op.f("pk_rescored_plays")),
    )
    with op.batch_alter_table("rescored_plays", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rescored_plays_play_id"), ["play_id"], unique=False)

    op.create_table(
        "rescores",
        sa.Column("rescoring_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("millibits", sa.BigInteger(), nullable=False),
        sa.Column("replaced", sa.BigInteger(), nullable=True),
        sa.Column("passage_millibits", sa.BigInteger(), nullable=True),
        sa.Column("rewards", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["submissions.number"], name=op.f("fk_rescores_number")),
        sa.ForeignKeyConstraint(["rescoring_id"], ["rescorings.id"], name=op.f("fk_rescores_rescoring_id")),
        sa.PrimaryKeyConstraint("rescoring_id", "number", name=op.f("pk_rescores")),
    )
    with op.batch_alter_table("rescores", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rescores_number"), ["number"], unique=False)

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rescoring_id", sa.String(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_submissions_rescoring_id"), "rescorings", ["rescoring_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_submissions_rescoring_id"), type_="foreignkey")
        batch_op.drop_column("rescoring_id")

    with op.batch_alter_table("rescores", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rescores_number"))

    op.drop_table("rescores")
    with op.batch_alter_table("rescored_plays", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rescored_plays_play_id"))

    op.drop_table("rescored_plays")
    with op.batch_alter_table("rescorings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rescorings_state"))
        batch_op.drop_index(batch_op.f("ix_rescorings_round_id"))

    op.drop_table("rescorings")
