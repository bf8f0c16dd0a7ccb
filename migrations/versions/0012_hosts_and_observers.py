"""Hosts of their own competitions, co-hosts and observers

Revision: 0012, after: 0011, made: 2026-11-26 19:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("owner", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Until now every host saw everything: all of them were the server's owner.
    op.execute("UPDATE tokens SET owner = true WHERE scope = 'host'")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.alter_column("owner", existing_type=sa.Boolean(), server_default=None)

    op.create_table(
        "hosting",
        sa.Column("competition_id", sa.String(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["competition_id"], ["competitions.id"], name=op.f("fk_hosting_competition_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_hosting_token_id")),
        sa.PrimaryKeyConstraint("competition_id", name=op.f("pk_hosting")),
    )
    with op.batch_alter_table("hosting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hosting_token_id"), ["token_id"], unique=False)

    with op.batch_alter_table("games", schema=None) as batch_op:
        batch_op.add_column(sa.Column("host_id", sa.String(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_games_host_id"), "tokens", ["host_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("games", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_games_host_id"), type_="foreignkey")
        batch_op.drop_column("host_id")

    op.drop_table("hosting")

    # A key that is good for one competition would become one for all.
    op.execute("DELETE FROM tokens WHERE scope IN ('host', 'observer') AND NOT owner")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_column("owner")
        batch_op.drop_column("name")
