"""Rounds with a second judge, which is seen when the moves are revealed

Revision: 0015, after: 0014, made: 2026-11-27 00:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("second_judge", sa.String(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_rounds_second_judge"), "judges", ["second_judge"], ["identity"])


def downgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_rounds_second_judge"), type_="foreignkey")
        batch_op.drop_column("second_judge")
