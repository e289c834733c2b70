"""The trial of faults can fail: what it compares differs where something was lost or doubled."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from bench.stream.faults import differing, only_in
from bench.stream.torn import judge
from pipelines.stores.sqlite import Database
from tests.pipelines.flows.working import kept, messages


@cache
def log() -> list[Any]:
    """One partition."""
    return messages()


def torn(folder: Path, *dying: int) -> dict[str, Any]:
    """What is kept by who writes its offset after its state, and dies between the two."""
    database = Database(folder / f"torn{len(dying)}.db")
    judge(database, log(), set(dying))
    found = kept(database)
    database.close()
    return found


def test_an_offset_in_a_transaction_of_its_own_is_seen(tmp_path: Path) -> None:
    """A comparison that finds nothing would call anything right."""
    wanted = torn(tmp_path)

    found = torn(tmp_path, 2)

    assert differing(wanted, wanted) == 0
    assert differing(found, wanted) > 0


def test_an_event_that_is_missing_or_there_twice_is_seen(tmp_path: Path) -> None:
    """What was lost would be counted as nothing."""
    wanted = torn(tmp_path)
    less = {**wanted, "stream_events": wanted["stream_events"][1:]}
    twice = {**wanted, "stream_events": [*wanted["stream_events"], wanted["stream_events"][0]]}

    assert (only_in(wanted, less), only_in(less, wanted)) == (1, 0)
    assert (only_in(twice, wanted), only_in(wanted, twice)) == (1, 0)
