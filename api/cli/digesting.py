"""What `serinus digest` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import msgspec
from rich.padding import Padding
from rich.text import Text

from api.cli.changing import address_of, console_of, read
from api.cli.doors import server_of
from detector.logs.plain import plain

__all__ = ["show"]

_HELD = 20


class _Held(msgspec.Struct):
    incident: str
    title: str
    severity: str
    why: str


class _Said(msgspec.Struct):
    text: str


class _Team(msgspec.Struct):
    team: str
    told: int
    held_back: int
    held: list[_Held]
    rules: list[_Said]
    text: str


class _Week(msgspec.Struct):
    since: str
    until: str
    teams: list[_Team]
    policies: list[_Said]
    notes: list[str]


def show(
    asked: Mapping[str, str | None], *, server: str | None, tenant: str | None, as_json: bool
) -> int:
    """Print a week, team by team and policy by policy."""
    query = urlencode({name: word for name, word in asked.items() if word is not None})
    with server_of(address_of(server), tenant=tenant) as place:
        body = place.get(f"/v1/alerts/digest?{query}")
    if as_json:
        print(msgspec.json.format(body).decode())
        return 0
    week, console = read(body, _Week), console_of()
    console.print(f"From {_minute(week.since)} to {_minute(week.until)} UTC", style="bold")
    for team in week.teams:
        console.print()
        console.print(_head(team))
        for line in _lines(team):
            console.print(Padding(line, (0, 0, 0, 2), expand=False))
    if not week.teams:
        console.print("No team was told of anything, and nothing was held back.")
    for words in (*[score.text for score in week.policies], *week.notes):
        console.print()
        console.print(plain(words))
    return 0


def _head(team: _Team) -> Text:
    return Text(plain(f"{team.team}: {team.told} told, {team.held_back} held back"), style="bold")


def _lines(team: _Team) -> Iterator[Text]:
    """How right its rules were, and what was held back with where it is read."""
    yield Text(plain(team.text))
    yield from (Text(plain(rule.text)) for rule in team.rules)
    for one in team.held[:_HELD]:
        line = Text(f"{one.severity:6}  ")
        line.append(plain(f"{one.title}: {one.why}"))
        line.append(f"  /incidents/{one.incident}", style="dim")
        yield line
    more = team.held_back - min(len(team.held), _HELD)
    if more > 0:
        yield Text(f"and {more} more that were held back")


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")
