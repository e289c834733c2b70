"""Incidents, what was told of them, what people said, and what the correlation remembers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("incidents_newest", "incidents", ["tenant", "began", "id"], unique=False)
    op.create_index("incidents_old", "incidents", ["ended"], unique=False)
    op.create_table(
        "incident_services",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident", "service"),
    )
    op.create_index(
        "incident_services_of", "incident_services", ["tenant", "service"], unique=False
    )
    op.create_table(
        "incident_events",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "incident_said",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("incident_said_of", "incident_said", ["tenant", "incident"], unique=False)
    op.create_table(
        "incident_states",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )


def downgrade() -> None:
    for table in (
        "incident_states",
        "incident_said",
        "incident_events",
        "incident_services",
        "incidents",
    ):
        op.drop_table(table)
