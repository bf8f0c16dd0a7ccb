"""The lab: experiments, and where it is closed

Revision: 0017, after: 0016, made: 2026-11-27 07:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_labs",
        sa.Column("competition_id", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_closed_labs_competition_id")),
        sa.PrimaryKeyConstraint("competition_id", name=op.f("pk_closed_labs")),
    )
    op.create_table(
        "experiments",
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("question", sa.JSON(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("build", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["judge"], ["judges.identity"], name=op.f("fk_experiments_judge")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_experiments")),
    )
    op.create_index("ix_experiments_asker_state", "experiments", ["asker", "state"])
    op.create_index("ix_experiments_state_judge_queued_at", "experiments", ["state", "judge", "queued_at"])


def downgrade() -> None:
    op.drop_table("experiments")
    op.drop_table("closed_labs")
