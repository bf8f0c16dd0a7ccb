"""Which experiments of the lab are closed to players

Revision: 0019, after: 0018, made: 2026-11-27 14:10:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_experiments",
        sa.Column("competition_id", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(length=8), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name=op.f("fk_closed_experiments_competition_id")
        ),
        sa.PrimaryKeyConstraint("competition_id", "experiment", name=op.f("pk_closed_experiments")),
    )


def downgrade() -> None:
    op.drop_table("closed_experiments")
