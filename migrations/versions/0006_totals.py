"""What a competition's board adds up, and what a score is a share of

Revision: 0006, after: 0005, made: 2026-11-26 16:20:11.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        # Competitions that are there go on adding up what they did.
        batch_op.add_column(sa.Column("total", sa.String(), nullable=False, server_default="bits"))
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.alter_column("total", existing_type=sa.String(), server_default=None)

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("passage_millibits", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_column("passage_millibits")

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("total")
