"""Rounds with titles, drafts, ends that were, deleted rounds, edits

Revision: 0008, after: 0007, made: 2026-11-26 18:52:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("draft", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.alter_column("draft", existing_type=sa.Boolean(), server_default=None)

    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("title", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("draft", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("duration", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.alter_column("draft", existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column("revision", existing_type=sa.String(), server_default=None)
    _note_ends()


def _note_ends() -> None:
    """When the rounds ended that are closed: the feed tells."""
    feed = sa.table(
        "feed", sa.column("type"), sa.column("data", sa.JSON()), sa.column("at", sa.DateTime(timezone=True))
    )
    rounds = sa.table("rounds", sa.column("id"), sa.column("state"), sa.column("closed_at", sa.DateTime(timezone=True)))
    told = sa.select(feed.c.data, feed.c.at).where(feed.c.type == "round.closed").order_by(feed.c.at)
    ends = {data["round"]: at for data, at in op.get_bind().execute(told)}
    for round_id, at in ends.items():
        closed = (rounds.c.id == round_id) & (rounds.c.state == "closed")
        op.get_bind().execute(sa.update(rounds).where(closed).values(closed_at=at))


def downgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        for column in ("revision", "archived_at", "closed_at", "duration", "draft", "title"):
            batch_op.drop_column(column)

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("draft")
