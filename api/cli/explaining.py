"""`serinus explain`: a verdict in words."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.exporting import evidence_of
from api.cli.guard import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.explain.verdict import Explanation

__all__ = ["explain"]

_NARROW, _WIDE = 40, 100


def explain(target: str, *, server: str | None, data: Path | None, short: bool) -> int:
    """Print it: the short of it, then the details."""
    from detector.explain.verdict import explained
    from detector.gate.session import Session
    from pipelines.flows.evidence import unpack_evidence
    from pipelines.flows.export_trail import bearable_of, trail_of

    evidence = unpack_evidence(evidence_of(target, server, data))
    trail = () if short else trail_of(evidence, Session)
    bearable = None if short else bearable_of(evidence, Session)
    stored = evidence.stored
    told = explained(
        stored.verdict,
        evidence.attempt,
        trail=trail,
        bearable=bearable,
        override=stored.seen.override,
    )
    print("\n".join(_lines(told, short=short)))
    return Code.PASS


def _lines(told: Explanation, *, short: bool) -> Iterator[str]:
    width = max(_NARROW, min(_WIDE, shutil.get_terminal_size((_WIDE, 24)).columns))
    for sentence in told.short:
        yield textwrap.fill(sentence, width)
    if short:
        return
    for passage in told.details:
        yield ""
        yield passage.title
        for line in passage.lines:
            yield _filled(line, width)


def _filled(line: str, width: int) -> str:
    """A line of its passage; queries are left in one piece, to be copied."""
    indent = "  " + " " * (len(line) - len(line.lstrip()))
    if "{" in line and line.startswith("  "):
        return f"{indent}{line.strip()}"
    return textwrap.fill(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
