"""Several processes on one database: versions of attempts, and which attempt follows which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    version = sa.Column("version", sa.Integer(), nullable=False, server_default="1")
    follows = sa.Column("follows", sa.String(), nullable=False, server_default="")
    for column in (version, follows):
        op.add_column("attempts", column)
    # Of old attempts nobody knows any more: each follows itself, which is nobody else's.
    op.execute("update attempts set follows = id")
    op.create_index("attempts_follow", "attempts", ["identity", "follows"], unique=True)


def downgrade() -> None:
    op.drop_index("attempts_follow", table_name="attempts")
    op.drop_column("attempts", "follows")
    op.drop_column("attempts", "version")
