"""Who measured, what was measured again, and whom nobody believes

Revision: 0018, after: 0017, made: 2026-11-27 10:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WORK = ("measurements", "writings", "experiments")


def upgrade() -> None:
    for table in WORK:
        op.add_column(table, sa.Column("worker", sa.String(), nullable=True))
    op.create_table(
        "checks",
        sa.Column("measurement", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("build", sa.String(), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["judge"], ["judges.identity"], name=op.f("fk_checks_judge")),
        sa.ForeignKeyConstraint(["measurement"], ["measurements.key"], name=op.f("fk_checks_measurement")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_checks")),
    )
    op.create_index("ix_checks_measurement", "checks", ["measurement"])
    op.create_index("ix_checks_state_queued_at", "checks", ["state", "queued_at"])
    op.create_table(
        "differences",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("stopped", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["judge"], ["judges.identity"], name=op.f("fk_differences_judge")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_differences")),
    )
    op.create_table(
        "distrusted",
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("mended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_distrusted")),
    )


def downgrade() -> None:
    for table in ("distrusted", "differences", "checks"):
        op.drop_table(table)
    for table in WORK:
        op.drop_column(table, "worker")
