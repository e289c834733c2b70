"""Notices of one thread are told in their order, each with what the receiver gave for the last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("thread", sa.String(), nullable=True),
        sa.Column("nth", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("receipt", sa.String(), nullable=True),
    ):
        op.add_column("deliveries", column)
    columns = ["notifier", "thread", "nth"]
    op.create_index("deliveries_thread", "deliveries", columns, unique=False)


def downgrade() -> None:
    op.drop_index("deliveries_thread", table_name="deliveries")
    for name in ("receipt", "nth", "thread"):
        op.drop_column("deliveries", name)
