"""What was changed, as senders told it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("changes_newest", "changes", ["tenant", "started_at", "id"], unique=False)
    op.create_index("changes_service", "changes", ["tenant", "service", "started_at"], unique=False)
    op.create_index("changes_old", "changes", ["last_at"], unique=False)


def downgrade() -> None:
    op.drop_table("changes")
