"""One canary in several clusters: one attempt each, and the worst answer counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detector.gate.verdict import Outcome, Verdict

__all__ = ["worst"]

_ORDER = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)


def worst(verdicts: Sequence[tuple[str, Verdict]]) -> Verdict:
    """The worst of the verdicts by cluster, with what the others said in its notes."""
    by_outcome = sorted(verdicts, key=lambda pair: _ORDER.index(pair[1].outcome))
    cluster, verdict = by_outcome[0]
    said = "; ".join(f"{name}: {one.outcome} ({one.reason.code})" for name, one in verdicts)
    note = f"Clusters: {said}. This is {cluster}, the worst of them."
    return replace(verdict, notes=(note, *verdict.notes))
