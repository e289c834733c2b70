"""The look back on shadow mode for people, and as JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from api.cli.shadow_report import print_shadow, shadow_json
from detector.backtest.course import Truth
from detector.backtest.shadow import ShadowReport, Watched, shadow_report
from detector.gate.verdict import Outcome
from pipelines.stores.sqlite import open_sqlite
from tests.api.cli.served import serinus

T0 = 1_790_000_000.0


def watched(attempt: str, outcome: Outcome, truth: Truth | None) -> Watched:
    """One attempt."""
    return Watched(
        attempt=attempt,
        service="checkout",
        revision=f"v{attempt}",
        at=T0,
        outcome=outcome,
        reason="error_rate_up",
        truth=truth,
        by="ada decided so",
    )


def week(*found: Watched) -> ShadowReport:
    """The report of a week."""
    return shadow_report(found, since=T0 - 7 * 86_400, until=T0)


MADE = week(
    watched("1", Outcome.FAIL, Truth.REGRESSED),
    watched("2", Outcome.FAIL, Truth.HEALTHY),
    watched("3", Outcome.PASS, Truth.REGRESSED),
    watched("4", Outcome.PASS, Truth.HEALTHY),
    watched("5", Outcome.INCONCLUSIVE, None),
)


def printed(made: ShadowReport) -> str:
    """What a terminal would show."""
    sink = io.StringIO()
    print_shadow(Console(file=sink, width=200), made)
    return sink.getvalue()


def test_the_first_line_says_it_all() -> None:
    """What would have been blocked and missed, and how often it was right."""
    first = printed(MADE).splitlines()[0]
    assert first.startswith("5 rollouts in the last 7 days: would have blocked 2,")
    assert "would have missed 1; was right in 2 of 4 whose end is known (at least 7 %, 95 %)" in (
        printed(MADE).replace("\n", " ")
    )


def test_what_is_worth_a_look_has_a_line() -> None:
    """Blocks and misses; a pass that was right needs none."""
    text = printed(MADE)
    assert "blocked, wrongly" in text
    assert "passed a regression" in text
    assert "v4" not in text


def test_nothing_known_is_said() -> None:
    """Neither right nor wrong."""
    text = printed(week(watched("1", Outcome.FAIL, None)))
    assert "whether it was right is not known of any yet" in text.replace("\n", " ")
    assert "no rollout was asked about in shadow or advise mode" in printed(week())


def test_json_names_every_attempt() -> None:
    """In strict JSON."""
    body = json.loads(json.dumps(shadow_json(MADE), allow_nan=False))
    assert body["counts"]["blocked, wrongly"] == 1
    assert (body["right"]["hits"], body["right"]["of"]) == (2, 4)
    assert len(body["attempts"]) == 5


def test_the_report_is_made_of_a_data_directory(tmp_path: Path) -> None:
    """As `serinus serve` keeps it; without one it is said where to look."""
    nowhere = serinus("shadow", "report", "--data", str(tmp_path / "no"))
    open_sqlite(tmp_path / "serinus.db")
    empty = serinus("shadow", "report", "--data", str(tmp_path), "--last", "24h")
    assert nowhere.exit_code == 2
    assert empty.exit_code == 0, empty.output
    assert "in the last 1 days" in empty.output
