"""Seats of a round that the house has

Revision: 0020, after: 0019, made: 2026-11-27 17:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("house", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.alter_column("house", existing_type=sa.JSON(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.drop_column("house")
