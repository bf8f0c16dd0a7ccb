"""Rounds whose moves are revealed, and practice

Revision: 0005, after: 0004, made: 2026-11-26 14:56:08.396062
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revealed", sa.JSON(), nullable=True))

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("practice", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.alter_column("practice", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_column("practice")

    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.drop_column("revealed")
