"""Anomalies are found by their end, to delete those that are old."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("anomalies_old", "anomalies", ["end"], unique=False)


def downgrade() -> None:
    op.drop_index("anomalies_old", table_name="anomalies")
