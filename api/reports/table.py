"""A report as a table of comma-separated values: a row for each resource, the most urgent first."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO

from detector.capacity.assessed import Assessment
from detector.capacity.report import LeftOut, Report
from detector.reports.state import state_of

__all__ = ["COLUMNS", "csv_of"]

Cell = str | float | int | None

COLUMNS: Mapping[str, str] = {
    "state": "has run out, runs out, may run out, not known, lasts; or left out",
    "service": "", "namespace": "", "cluster": "", "team": "",
    "kind": "cpu, memory, disk, connections, partitions, licences, traffic or other",
    "name": "of the resource within its service",
    "unit": "what all amounts of the row count",
    "labels": "as name=value, by spaces",
    "replicas": "alike; amounts are of the fullest of them",
    "used": "at its worst in the last week",
    "limit": "now",
    "requested": "now",
    "used_share": "used of limit, 1 is all of it",
    "ahead_share": "of limit, that nine futures of ten stay below within the horizon",
    "horizon_days": "how far the report looks",
    "chance": "that it runs out within the horizon, 0 to 1",
    "since": "it has run out already, as ISO 8601 in UTC",
    "p10": "the day by which it has run out in one future of ten; empty beyond the horizon",
    "p50": "in five of ten", "p90": "in nine of ten",
    "action": "raise, lower or keep",
    "what": "limit or request",
    "from": "what it is",
    "to": "what is advised",
    "by": "the last moment to do it; empty without haste",
    "saving_month": "in the currency; negative is a cost",
    "currency": "", "why": "of the advice",
    "driver": "what usage follows",
    "driver_slope": "of the unit for each more of it",
    "past_reports": "that can be held against what came",
    "past_dates": "of these, dates that came",
    "past_within": "of these, those within their range",
    "past_date_error_days": "median",
    "problem": "why nothing can be told, or it was left out",
    "assumptions": "by semicolons",
    "source": "the pack that knows it, or by hand",
    "as_of": "when this was known, as ISO 8601 in UTC",
}  # fmt: skip
# Programs that show tables take a text with one of these in front for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def csv_of(report: Report) -> str:
    """The table, with its head; what was left out comes last."""
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])
    return out.getvalue()


def _rows(report: Report) -> Iterator[dict[str, Cell]]:
    yield from (_row(one) for one in report.assessments)
    yield from (_left_out(one, report) for one in report.left_out)


def _left_out(one: LeftOut, report: Report) -> dict[str, Cell]:
    return {
        "state": "left out",
        "name": one.name,
        "problem": one.why,
        "as_of": _time(report.made_at),
    }


def _row(told: Assessment) -> dict[str, Cell]:
    of = told.identity
    return {
        "state": state_of(told).value,
        "service": of.service,
        "namespace": of.namespace,
        "cluster": of.cluster,
        "team": of.team,
        "kind": of.kind.value,
        "name": of.name,
        "unit": of.unit,
        "labels": " ".join(f"{name}={value}" for name, value in sorted(of.labels.items())),
        "replicas": told.replicas,
        "horizon_days": told.horizon_s / 86_400,
        "driver": None if told.driver is None else told.driver.name,
        "driver_slope": None if told.driver is None else told.driver.slope,
        "problem": told.problem,
        "assumptions": "; ".join((*told.what_if, *told.assumptions)),
        "source": of.source,
        "as_of": _time(told.as_of),
        **_sizes(told),
        **_dates(told),
        **_deed(told),
        **_past(told),
    }


def _sizes(told: Assessment) -> dict[str, Cell]:
    room = told.headroom
    return {
        "limit": None if told.limit is None else told.limit.at(told.as_of),
        "requested": None if told.requested is None else told.requested.at(told.as_of),
        "used": None if room is None else room.used,
        "used_share": None if room is None else room.share,
        "ahead_share": None if room is None else room.ahead,
    }


def _dates(told: Assessment) -> dict[str, Cell]:
    out = told.exhaustion
    if out is None:
        return {}
    days = {"since": out.since, "p10": out.p10, "p50": out.p50, "p90": out.p90}
    return {"chance": out.chance, **{name: _time(at) for name, at in days.items()}}


def _deed(told: Assessment) -> dict[str, Cell]:
    sizing = told.sizing
    if sizing is None:
        return {}
    return {
        "action": sizing.action.value,
        "what": sizing.what,
        "from": sizing.present,
        "to": sizing.to,
        "by": _time(sizing.by),
        "saving_month": sizing.saving,
        "currency": sizing.currency,
        "why": sizing.why,
    }


def _past(told: Assessment) -> dict[str, Cell]:
    past = told.accuracy
    if past is None:
        return {}
    return {
        "past_reports": past.reports,
        "past_dates": past.dates,
        "past_within": past.within,
        "past_date_error_days": past.date_error_days,
    }


def _time(at: int | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(value: Cell) -> str:
    """Numbers are numbers; a text is never taken for a formula, whatever it begins with."""
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
    return f"{value:.10g}"
