"""What logs and traces are counted by: our own counters, and templates of log lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_marks",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )
    op.create_table(
        "own_series",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part", "tenant", "id"),
    )
    op.create_index("own_series_old", "own_series", ["part", "seen"], unique=False)
    op.create_table(
        "own_frames",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("part", "tenant", "at"),
    )
    _templates()


def _templates() -> None:
    op.create_table(
        "log_templates",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sample", sa.String(), nullable=False),
        sa.Column("came", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part", "tenant", "id", "service", "level"),
    )
    op.create_index("log_templates_newest", "log_templates", ["tenant", "came", "id"], unique=False)
    op.create_index("log_templates_old", "log_templates", ["last"], unique=False)
    op.create_table(
        "log_days",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part", "tenant", "id", "service", "level", "day"),
    )
    op.create_index("log_days_old", "log_days", ["day"], unique=False)


def downgrade() -> None:
    op.drop_table("log_days")
    op.drop_table("log_templates")
    op.drop_table("own_frames")
    op.drop_table("own_series")
    op.drop_table("own_marks")
