"""What people said of the anomalies of workers, on its way to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream_said",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("stream_said_to", "stream_said", ["part", "number"], unique=False)


def downgrade() -> None:
    op.drop_index("stream_said_to", "stream_said")
    op.drop_table("stream_said")
