"""Workers: the events that they tell, and who works on which part."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream_events",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("kept_at", sa.Float(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("part", "position", "nth"),
    )
    op.create_index("stream_events_due", "stream_events", ["part", "sent", "number"], unique=False)
    op.create_table(
        "stream_workers",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("taken_at", sa.Float(), nullable=False),
        sa.Column("wrote_at", sa.Float(), nullable=True),
        sa.Column("newest", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )


def downgrade() -> None:
    op.drop_table("stream_workers")
    op.drop_index("stream_events_due", "stream_events")
    op.drop_table("stream_events")
