"""Tables of the gate: attempts, verdicts, samples, policies, people's decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _attempts()
    _audit()
    _modes()
    _policies()
    _revisions()
    _overrides()
    _plans()
    _points()
    _verdicts()


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=True),
        sa.Column("namespace", sa.String(), nullable=True),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("rollout", sa.String(), nullable=True),
        sa.Column("canary", sa.String(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("last_asked", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("interval_s", sa.Float(), nullable=True),
        sa.Column("policy_digest", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("latched_at", sa.Float(), nullable=True),
        sa.Column("evaluated_to", sa.Float(), nullable=True),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempts_of", "attempts", ["identity", "asked_at"], unique=False)
    op.create_index("attempts_old", "attempts", ["last_asked"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("audit_at", "audit", ["at"], unique=False)


def _modes() -> None:
    op.create_table(
        "modes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("modes_of", "modes", ["tenant", "number"], unique=False)


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("scope", "key", "since"),
    )


def _overrides() -> None:
    op.create_table(
        "overrides",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("overrides_of", "overrides", ["attempt", "number"], unique=False)


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("attempt"),
    )


def _points() -> None:
    op.create_table(
        "points",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("written_at", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("points_of", "points", ["attempt"], unique=False)


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("rollout", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("as_of", sa.Float(), nullable=False),
        sa.Column("written_at", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("verdicts_of", "verdicts", ["attempt", "id"], unique=False)
    op.create_index("verdicts_old", "verdicts", ["outcome", "written_at"], unique=False)
    op.create_index("verdicts_service", "verdicts", ["service", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("verdicts_service", table_name="verdicts")
    op.drop_index("verdicts_old", table_name="verdicts")
    op.drop_index("verdicts_of", table_name="verdicts")
    op.drop_table("verdicts")
    op.drop_index("points_of", table_name="points")
    op.drop_table("points")
    op.drop_table("plans")
    op.drop_index("overrides_of", table_name="overrides")
    op.drop_table("overrides")
    op.drop_table("revisions")
    op.drop_table("policies")
    op.drop_index("modes_of", table_name="modes")
    op.drop_table("modes")
    op.drop_index("audit_at", table_name="audit")
    op.drop_table("audit")
    op.drop_index("attempts_old", table_name="attempts")
    op.drop_index("attempts_of", table_name="attempts")
    op.drop_table("attempts")
