"""The self-check of a service in words, as it stands beside each verdict."""

from __future__ import annotations

from datetime import UTC, datetime

from detector.gate.aa import ENOUGH, AaResult
from models.proportion import exact_interval

__all__ = ["aa_note", "share_words"]


def aa_note(found: AaResult | None) -> tuple[str, ...]:
    """One sentence; none where the service was never checked."""
    if found is None or not found.placebos:
        return ()
    day = datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d")
    failed = share_words(found.failed, found.placebos)
    said = f"A/A check of {day}: of {found.placebos} placebos on this service's own pods {failed}"
    return (f"{said}{_consequence(found)}.",)


def share_words(failed: int, count: int) -> str:
    """How many would have failed, and how many of all that may be."""
    high = exact_interval(failed, count)[1]
    return f"{failed} would have failed (at most {100 * high:.2g} %, 95 %)"


def _consequence(found: AaResult) -> str:
    if found.raised > 1:
        return f"; a fail needs {found.raised:.3g} times the evidence here"
    if not found.is_enough:
        return f"; {ENOUGH} are needed to say more"
    return ""
