"""A report as scans: which tool wrote it is told by what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar

import msgspec

from detector.errors import InputError
from detector.scans.scan import Finding, Scan, Severity, gravest, scan_id
from pipelines.scans.found import Found
from pipelines.scans.sarif import SarifLog, found_by_sarif
from pipelines.scans.trivy import TrivyReport, found_by_trivy

__all__ = ["RUNS_MAX", "scans_of"]

RUNS_MAX = 20
_TEXT_MAX, _NAME_MAX = 200, 253
_KNOWN = "SARIF 2.1.0 (`version`, `runs`) and Trivy's JSON (`SchemaVersion`, `Results`)"
_ABSENT = msgspec.Raw(b"")
T = TypeVar("T")


class _Outline(msgspec.Struct):
    runs: msgspec.Raw = _ABSENT
    SchemaVersion: msgspec.Raw = _ABSENT


def scans_of(
    body: bytes, *, service: str, revision: str, now: int, redact: Callable[[str], str]
) -> tuple[Scan, ...]:
    """The scans in a report; now is unix milliseconds.

    `InputError` names the place of what is wrong. Of a file that was scanned nothing is kept.
    """
    outline = _decoded(body, _Outline)
    found = list(_found(body, outline))
    if not found:
        raise InputError("has no run", field="runs")
    if len(found) > RUNS_MAX:
        raise InputError(f"has {len(found):,} runs; at most {RUNS_MAX}", field="runs")
    digest = sha256(body).hexdigest()
    ids = (scan_id(service, revision, f"{n}/{digest}", now) for n in range(RUNS_MAX))
    told = (_told(one, redact) for one in found)
    return tuple(_scan(one, id, service, revision, now) for one, id in zip(told, ids, strict=False))


def _found(body: bytes, outline: _Outline) -> Iterator[Found]:
    if outline.runs != _ABSENT:
        return found_by_sarif(_decoded(body, SarifLog))
    if outline.SchemaVersion != _ABSENT:
        return found_by_trivy(_decoded(body, TrivyReport))
    raise InputError(f"is of no format that is read here: {_KNOWN}", field="body")


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        raise InputError(text, field=place.rstrip("`") or "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no JSON: {error}", field="body") from None
    except RecursionError:
        raise InputError("is nested too deeply", field="body") from None


def _told(found: Found, redact: Callable[[str], str]) -> tuple[Found, tuple[Finding, ...]]:
    """With its gravest findings fit to be kept and shown."""
    kept = tuple(_fit(one, redact) for one in gravest(found.findings))
    named = replace(found, tool=_cut(found.tool, _NAME_MAX), target=_cut(found.target, _NAME_MAX))
    return named, kept


def _fit(one: Finding, redact: Callable[[str], str]) -> Finding:
    return Finding(
        severity=one.severity,
        rule=_cut(one.rule, _TEXT_MAX),
        title=_cut(redact(_cut(one.title, _TEXT_MAX)), _TEXT_MAX),
        package=_cut(one.package, _TEXT_MAX),
        installed=_cut(one.installed, _TEXT_MAX),
        fixed=_cut(one.fixed, _TEXT_MAX),
        location=_cut(one.location, _TEXT_MAX),
    )


def _cut(word: str, most: int) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in word[: most + 1])
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _scan(
    told: tuple[Found, tuple[Finding, ...]], id: str, service: str, revision: str, now: int
) -> Scan:
    found, kept = told
    counted = Counter(one.severity for one in found.findings)
    return Scan(
        id=id,
        service=service,
        revision=revision,
        tool=found.tool or "a scanner without a name",
        target=found.target,
        at=now,
        made_at=_made_at(found.made, now),
        counts={severity: counted[severity] for severity in Severity},
        findings=kept,
    )


def _made_at(told: str, now: int) -> int:
    """When the tool says, if it is a moment of the past."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return now
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    made = int(1000 * aware.timestamp())
    return made if 0 < made < now else now
