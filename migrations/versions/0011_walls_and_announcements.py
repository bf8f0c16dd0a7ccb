"""Walls and announcements

Revision: 0011, after: 0010, made: 2026-11-26 18:49:32.272429
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("competition_id", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_announcements_competition_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_announcements")),
        sa.UniqueConstraint("id", name=op.f("uq_announcements_id")),
    )
    with op.batch_alter_table("announcements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_announcements_competition_id"), ["competition_id"], unique=False)

    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("competition_id", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_tokens_competition_id"), ["competition_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_tokens_competition_id"), "competitions", ["competition_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_tokens_competition_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_tokens_competition_id"))
        batch_op.drop_column("competition_id")

    with op.batch_alter_table("announcements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_announcements_competition_id"))

    op.drop_table("announcements")
