"""Plays of several seats, move clocks, and texts that judges write

Revision: 0003, after: 0002, made: 2026-11-21 12:27:32.073603
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "writings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("build", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["judge"], ["judges.identity"], name=op.f("fk_writings_judge")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_writings")),
    )
    with op.batch_alter_table("writings", schema=None) as batch_op:
        batch_op.create_index("ix_writings_state_queued_at", ["state", "queued_at"], unique=False)

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.add_column(sa.Column("awaits", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("vacant", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("invited", sa.String(), nullable=True))
        batch_op.create_index("ix_plays_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_plays_round_id_vacant", ["round_id", "vacant"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_plays_invited"), "players", ["invited"], ["id"])

    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("move_seconds", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("generated", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("trouble", sa.String(), nullable=True))

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.alter_column("vacant", existing_type=sa.Integer(), server_default=None)
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.alter_column("generated", existing_type=sa.JSON(), server_default=None)
    _note_who_is_to_move()


def _note_who_is_to_move() -> None:
    """Until now that was noted in the submission alone."""
    connection = op.get_bind()
    submissions = sa.table("submissions", sa.column("play_id"), sa.column("seat"), sa.column("state"))
    plays = sa.table("plays", sa.column("id"), sa.column("awaits", sa.JSON()))
    for play, seat in connection.execute(
        sa.select(submissions.c.play_id, submissions.c.seat).where(submissions.c.state == "awaiting_move")
    ).all():
        connection.execute(plays.update().where(plays.c.id == play).values(awaits={"seat": seat}))


def downgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.drop_column("trouble")
        batch_op.drop_column("generated")
        batch_op.drop_column("move_seconds")

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_plays_invited"), type_="foreignkey")
        batch_op.drop_index("ix_plays_round_id_vacant")
        batch_op.drop_index("ix_plays_due_at")
        batch_op.drop_column("invited")
        batch_op.drop_column("vacant")
        batch_op.drop_column("due_at")
        batch_op.drop_column("awaits")

    op.drop_table("writings")
