"""Joining that waits or is locked, keys of names by what they look like, external ids

Revision: 0007, after: 0006, made: 2026-11-26 18:55:00.000000
"""

import sqlalchemy as sa
from alembic import op

from server.arena.names import skeleton

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PLAYERS = sa.table(
    "players",
    *map(sa.column, ("id", "competition_id", "name", "name_key", "removed", "joined_at")),
)


def upgrade() -> None:
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("joining", sa.String(), nullable=False, server_default="open"))
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.alter_column("joining", existing_type=sa.String(), server_default=None)

    with op.batch_alter_table("players", schema=None) as batch_op:
        batch_op.add_column(sa.Column("external_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("pending", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("removal", sa.String(), nullable=True))
        batch_op.alter_column("name_key", existing_type=sa.String(), nullable=True)
    with op.batch_alter_table("players", schema=None) as batch_op:
        batch_op.alter_column("pending", existing_type=sa.Boolean(), server_default=None)
    _key_names_by_their_looks()


def _key_names_by_their_looks() -> None:
    """The name of a removed player is free. Of two that look alike already, the later one keeps the key it had."""
    connection = op.get_bind()
    connection.execute(sa.update(_PLAYERS).where(_PLAYERS.c.removed).values(name_key=None))
    rows = connection.execute(
        sa.select(_PLAYERS).where(~_PLAYERS.c.removed).order_by(_PLAYERS.c.joined_at, _PLAYERS.c.id)
    ).all()
    taken = {(row.competition_id, row.name_key) for row in rows}
    changed = []
    for row in rows:
        key = (row.competition_id, skeleton(row.name))
        if key not in taken:
            taken.add(key)
            changed.append({"of": row.id, "key": key[1]})
    if changed:
        statement = sa.update(_PLAYERS).where(_PLAYERS.c.id == sa.bindparam("of"))
        connection.execute(statement.values(name_key=sa.bindparam("key")), changed)


def downgrade() -> None:
    # Removed players get a key that nobody has; the others keep theirs, which are as good.
    op.execute(sa.update(_PLAYERS).where(_PLAYERS.c.name_key.is_(None)).values(name_key=_PLAYERS.c.id))
    with op.batch_alter_table("players", schema=None) as batch_op:
        batch_op.alter_column("name_key", existing_type=sa.String(), nullable=False)
        batch_op.drop_column("removal")
        batch_op.drop_column("pending")
        batch_op.drop_column("external_id")

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("joining")
