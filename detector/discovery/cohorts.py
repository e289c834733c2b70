"""Cohorts of users: by which label their requests are put into groups, where pods serve both."""

from __future__ import annotations

from collections.abc import Sequence

from detector.discovery.matching import Labels, values_of

__all__ = ["group_label"]

# Labels that name a user, an account or a bucket of them, the finest first.
_LABELS = (
    "user_id", "user", "account_id", "account", "customer_id", "tenant_id", "user_bucket",
    "user_group", "bucket", "cohort_group", "group",
)  # fmt: skip
# With fewer groups on a side nothing can be learned of how users differ.
_FEWEST = 5


def group_label(canary: Sequence[Labels], control: Sequence[Labels]) -> str | None:
    """The label that splits both cohorts into groups of users; None where none does."""
    for label in _LABELS:
        sides = [values_of(label, side) for side in (canary, control)]
        if min(len(values) for values in sides) >= _FEWEST:
            return label
    return None
