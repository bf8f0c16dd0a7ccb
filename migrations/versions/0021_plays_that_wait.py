"""Plays that wait are found among very many

Revision: 0021, after: 0020, made: 2026-11-27 18:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("(awaits IS NOT NULL OR vacant > 0)")


def upgrade() -> None:
    op.create_index(
        "ix_plays_waiting", "plays", ["id"], sqlite_where=sa.text("waiting = 1"), postgresql_where=sa.text("waiting")
    )
    op.create_index("ix_plays_unfinished", "plays", ["id"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)


def downgrade() -> None:
    op.drop_index("ix_plays_unfinished", "plays")
    op.drop_index("ix_plays_waiting", "plays")
