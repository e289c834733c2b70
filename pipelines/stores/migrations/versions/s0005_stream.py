"""The stream: anomalies, what people said of them, and what operators hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "anomalies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("anomalies_newest", "anomalies", ["tenant", "start", "id"], unique=False)
    op.create_index("anomalies_service", "anomalies", ["tenant", "service", "start"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("anomaly", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("feedback_of", "feedback", ["anomaly", "number"], unique=False)
    op.create_table(
        "stream_marks",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )
    _held("stream_chunks", sa.Column("name", sa.String()), sa.Column("chunk", sa.Integer()))
    _held("stream_series", sa.Column("first", sa.BigInteger()))
    _held("stream_tunings", sa.Column("series", sa.BigInteger()))


def _held(table: str, *keys: sa.Column[object]) -> None:
    """A table of what one operator holds of one tenant."""
    for key in keys:
        key.nullable = False
    op.create_table(
        table,
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        *keys,
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("part", "tenant", *(key.name for key in keys)),
    )
