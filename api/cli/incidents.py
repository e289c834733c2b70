"""What `serinus incidents` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from rich.padding import Padding
from rich.text import Text

from api.cli.changing import console_of, looked_up, read
from detector.logs.plain import plain

__all__ = ["show"]

_STYLES = {"high": "bold red", "medium": "yellow", "low": ""}
_SUSPECTS = 2
_UNLIKELY = 0.05


class _Reason(msgspec.Struct):
    text: str


class _Suspect(msgspec.Struct):
    probability: float
    advice: str
    reasons: list[_Reason]


class _Incident(msgspec.Struct):
    id: str
    title: str
    text: str
    state: str
    severity: str
    since: str
    suspects: list[_Suspect]


class _Page(msgspec.Struct):
    incidents: list[_Incident]
    next: str | None


def show(
    asked: Mapping[str, str | None],
    *,
    since: str,
    server: str | None,
    tenant: str | None,
    as_json: bool,
) -> int:
    """Print a page of incidents."""
    body = looked_up("/v1/incidents", asked, since=since, server=server, tenant=tenant)
    if as_json:
        print(msgspec.json.format(body).decode())
        return 0
    page = read(body, _Page)
    console = console_of()
    for one in page.incidents:
        console.print(_head(one))
        for line in _lines(one):
            console.print(Padding(line, (0, 0, 0, 2), expand=False))
    if not page.incidents:
        console.print("No incidents in that time.")
    if page.next is not None:
        console.print(f"There are more: --limit above {len(page.incidents)} shows them.")
    return 0


def _head(one: _Incident) -> Text:
    """When, how bad, whether it lasts, and who shows it."""
    head = Text(f"{one.since[:16].replace('T', ' ')} UTC  ")
    head.append(f"{one.severity:6}", style=_STYLES.get(one.severity, ""))
    state = "open" if one.state == "open" else "over"
    head.append(f"  {state}  ", style="bold" if state == "open" else "dim")
    head.append(plain(one.title), style="bold")
    return head


def _lines(one: _Incident) -> Iterator[Text]:
    """What it comes of and why, how to take it back, and where to read on."""
    yield Text(plain(one.text))
    likely = [suspect for suspect in one.suspects if suspect.probability >= _UNLIKELY]
    for suspect in likely[:_SUSPECTS]:
        why = "; ".join(reason.text for reason in suspect.reasons[:_SUSPECTS])
        yield Text(plain(f"{100 * suspect.probability:.0f} %: {why}"))
        yield Text(plain(f"    {suspect.advice}"))
    yield Text(f"/incidents/{one.id}", style="dim")
