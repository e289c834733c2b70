"""Golden payloads: what each sender posts, and what is read out of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from detector.changes.change import ChangeEvent, change_id
from pipelines.changes.mapping import shipped_change_mappings
from pipelines.changes.reading import events_of

CASES = sorted((Path(__file__).parent / "payloads").glob("*.json"), key=lambda path: path.name)
NOW = 1_795_780_000_000


def read(case: dict[str, Any], mapping: str | None = None) -> tuple[ChangeEvent, ...]:
    """The events of a golden payload."""
    return events_of(
        shipped_change_mappings()[mapping or case["mapping"]],
        json.dumps(case["body"]).encode(),
        case["headers"],
        now=NOW,
        redact=str,
    )


def told(event: ChangeEvent) -> dict[str, Any]:
    """What an event says, in one layer of words."""
    said = asdict(event)
    return {**said, **said.pop("place"), "attributes": dict(event.attributes)}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_payload_tells_what_was_changed(path: Path) -> None:
    """Read wrongly, a change is blamed on the wrong service or not seen at all."""
    case = json.loads(path.read_text(encoding="utf-8"))
    found = [told(event) for event in read(case)]
    wanted = case["events"]
    shown = [{key: one[key] for key in want} for one, want in zip(found, wanted, strict=False)]
    assert (len(found), shown) == (len(wanted), wanted)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_payload_told_again_is_the_same_event(path: Path) -> None:
    """Every sender repeats what was not acknowledged in time."""
    case = json.loads(path.read_text(encoding="utf-8"))
    assert [(one.source, one.id) for one in read(case)] == [
        (one.source, one.id) for one in read(case)
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_payload_is_no_news_to_the_mapping_of_another_sender(path: Path) -> None:
    """A webhook that was pointed at the wrong address must not write nonsense."""
    case = json.loads(path.read_text(encoding="utf-8"))
    others = set(shipped_change_mappings()) - {case["mapping"]}
    assert not [other for other in others if read(case, other)]


def test_every_shipped_mapping_has_a_payload_that_is_news() -> None:
    """One without was never read by anybody."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in CASES]
    assert {case["mapping"] for case in cases if case["events"]} == set(shipped_change_mappings())


def test_the_start_and_the_end_of_a_deployment_are_one_change() -> None:
    """Two changes would be two suspects."""
    cases = [
        json.loads((CASES[0].parent / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("github-deployment", "github-status")
    ]
    (begun,), (ended,) = (read(case) for case in cases)
    assert change_id(begun.source, begun.subject) == change_id(ended.source, ended.subject)
