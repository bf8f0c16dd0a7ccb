"""Games that hosts bring: versions of a name, and withdrawn ones

Revision: 0002, after: 0001, made: 2026-11-21 12:22:09.118204
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Until now every game was a packaged one, and the newest of a name was the one made last.
NUMBERED = """
UPDATE games SET packaged = :packaged, version = (
    SELECT count(*) FROM games AS other WHERE other.name = games.name AND (
        other.created_at < games.created_at
        OR (other.created_at = games.created_at AND other.digest <= games.digest)))
"""


def upgrade() -> None:
    with op.batch_alter_table("games", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("packaged", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))

    op.get_bind().execute(sa.text(NUMBERED), {"packaged": True})
    with op.batch_alter_table("games", schema=None) as batch_op:
        batch_op.alter_column("version", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("packaged", existing_type=sa.Boolean(), nullable=False)
        batch_op.drop_index(batch_op.f("ix_games_name"))
        batch_op.create_unique_constraint(batch_op.f("uq_games_name_version"), ["name", "version"])


def downgrade() -> None:
    with op.batch_alter_table("games", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_games_name_version"), type_="unique")
        batch_op.create_index(batch_op.f("ix_games_name"), ["name"], unique=False)
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("packaged")
        batch_op.drop_column("version")
