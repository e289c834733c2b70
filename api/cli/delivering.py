"""What `serinus delivery` shows."""

from __future__ import annotations

import msgspec
from rich.table import Table

from api.cli.changing import console_of, looked_up, read
from detector.gate.words import duration, percent

__all__ = ["show"]

_NAMES = {
    "frequency": "deployments",
    "lead_time": "lead time",
    "failure_rate": "failed",
    "restore_time": "time to restore",
}


class _Measure(msgspec.Struct):
    value: float | None
    unit: str
    count: int
    band: str | None
    definition: str


class _Span(msgspec.Struct):
    since: str
    frequency: _Measure
    lead_time: _Measure
    failure_rate: _Measure
    restore_time: _Measure


class _Delivery(_Span):
    weeks: list[_Span]
    notes: list[str]


def show(
    service: str | None, *, since: str, server: str | None, tenant: str | None, shape: str
) -> int:
    """Print the measures, week by week below; or the answer as it came."""
    asked = {"service": service, "format": "csv" if shape == "csv" else None}
    body = looked_up("/v1/delivery", asked, since=since, server=server, tenant=tenant)
    if shape == "csv":
        print(body.decode(), end="")
        return 0
    if shape == "json":
        print(msgspec.json.format(body).decode())
        return 0
    found = read(body, _Delivery)
    console = console_of()
    console.print(_measures(found))
    console.print()
    console.print(_weeks(found.weeks))
    console.print()
    for name, words in _NAMES.items():
        console.print(f"{words}: {getattr(found, name).definition}", style="dim")
    for note in found.notes:
        console.print(note)
    return 0


def _measures(found: _Span) -> Table:
    """Each measure with its band and what it was counted of."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "", "level", "counted"):
        table.add_column(name)
    for name, words in _NAMES.items():
        one: _Measure = getattr(found, name)
        table.add_row(words, _value(one), one.band or "–", f"{one.count:,}")
    return table


def _weeks(weeks: list[_Span]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("week from")
    for words in _NAMES.values():
        table.add_column(words, justify="right")
    for week in weeks:
        values = [_value(getattr(week, name)) for name in _NAMES]
        table.add_row(week.since[:10], f"{week.frequency.count:,}", *values[1:])
    return table


def _value(one: _Measure) -> str:
    if one.value is None:
        return "–"
    if one.unit == "seconds":
        return duration(one.value)
    if one.unit == "ratio":
        return percent(one.value) if one.value else "0 %"
    return f"{one.value:.2g} a day" if one.value >= 1 else f"{7 * one.value:.2g} a week"
