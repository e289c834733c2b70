"""What `serinus learn` shows, writes and puts in force."""

from __future__ import annotations

import getpass
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.changing import address_of, console_of, read
from api.cli.doors import server_of
from api.cli.moments import past_of
from detector.errors import ConfigError, InputError
from detector.logs.plain import plain

if TYPE_CHECKING:
    from api.cli.server import Server

__all__ = ["Learn", "learn"]

_PATH = "/v1/learning"
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Learn:
    """What is asked for."""

    since: str
    apply: bool
    force: bool
    undo: bool
    out: Path | None
    reason: str | None
    person: str | None
    as_json: bool


class _Kind(msgspec.Struct):
    kind: str
    default: float
    before: float
    after: float
    low: float
    high: float
    bad: int
    good: int
    unsure: int


class _Score(msgspec.Struct):
    text: str


class _Rule(msgspec.Struct):
    text: str


class _InForce(msgspec.Struct):
    route: str
    to: str
    severity: str


class _Need(msgspec.Struct):
    service: str
    policy: str
    needs: float


class _Version(msgspec.Struct):
    version: int
    bad: dict[str, float]
    rules: list[_InForce]
    needs: list[_Need]
    person: str
    reason: str
    at: str
    undoes: int | None


class _Lesson(msgspec.Struct):
    since: str
    spoken: int
    occasions: int
    kinds: list[_Kind]
    before: _Score
    after: _Score
    advice: str
    rules: list[_Rule]
    gates: list[_Rule]
    settings: str
    versions: list[_Version]


def learn(asked: Learn, *, server: str | None, tenant: str | None) -> int:
    """Show it; then, if that was asked for, write it, put it in force, or take it back."""
    _check(asked)
    console = console_of()
    with server_of(address_of(server), tenant=tenant) as place:
        if asked.undo:
            console.print(_did(read(_post(place, asked, "/undo"), _Version)))
            return 0
        query = {"from": past_of(asked.since, "since", time.time())}
        body = place.get(f"{_PATH}?{urlencode(query)}")
        lesson = read(body, _Lesson)
        if asked.as_json:
            print(msgspec.json.format(body).decode())
        else:
            _show(console, lesson)
        _write(asked.out, lesson)
        if asked.apply:
            made = read(_post(place, asked, "", **query, force=asked.force), _Version)
            _tell(console, made, is_quiet=asked.as_json)
    return 0


def _check(asked: Learn) -> None:
    if asked.undo and (asked.apply or asked.out is not None):
        raise InputError("give it alone: it takes back what was applied last", field="--undo")
    if asked.force and not asked.apply:
        raise InputError("give it with --apply", field="--force")
    if (asked.apply or asked.undo) and not asked.reason:
        raise InputError("say why: it is written to the audit log", field="--reason")


def _post(place: Server, asked: Learn, path: str, **more: object) -> bytes:
    signed = {"person": asked.person or getpass.getuser(), "reason": asked.reason}
    return place.post(_PATH + path, {**signed, **more})


def _tell(console: Console, made: _Version, *, is_quiet: bool) -> None:
    if not is_quiet:
        console.print()
        console.print(_did(made))


def _write(out: Path | None, lesson: _Lesson) -> None:
    if out is None:
        return
    try:
        out.write_text(lesson.settings, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from error


def _show(console: Console, lesson: _Lesson) -> None:
    """What is known, before and after, and what to do."""
    head = f"Since {lesson.since[:16].replace('T', ' ')} UTC"
    console.print(f"{head}: people spoke on {lesson.spoken} of {lesson.occasions} occasions.")
    console.print()
    console.print(_table(lesson))
    console.print()
    console.print(Text(f"before: {plain(lesson.before.text)}"))
    console.print(Text(f"after:  {plain(lesson.after.text)}"))
    for rule in (*lesson.rules, *lesson.gates):
        console.print(Text(plain(rule.text)))
    console.print(Text(plain(lesson.advice), style="bold"))
    if lesson.versions:
        console.print()
    for one in lesson.versions[:_SHOWN]:
        console.print(Text(plain(_version(one)), style="dim"))


def _table(lesson: _Lesson) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("kind", "default", "before", "after", "90 % between", "bad", "good", "unsure"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for one in lesson.kinds:
        if one.bad + one.good + one.unsure:
            shares = (_percent(each) for each in (one.default, one.before, one.after))
            between = f"{_percent(one.low)} and {_percent(one.high)}"
            counts = (str(each) for each in (one.bad, one.good, one.unsure))
            table.add_row(plain(one.kind), *shares, between, *counts)
    return table


def _version(one: _Version) -> str:
    what = f"undoes {one.undoes}" if one.undoes is not None else "applied"
    return f"version {one.version} {what} by {one.person}, {one.at[:16]}Z: {one.reason}"


def _did(one: _Version) -> str:
    """What stands now."""
    kinds = [f"{kind} {_percent(share)}" for kind, share in one.bad.items()]
    rules = [
        f"{rule.route or 'the last rule'} to {rule.to} from {rule.severity} on"
        for rule in one.rules
    ]
    needs = [
        f"fails of {need.service} under {need.policy} by {need.needs:.3g} times the evidence"
        for need in one.needs
    ]
    stands = ", ".join([*kinds, *rules, *needs]) or "all is as configured"
    return plain(f"{_version(one)}. In force within a minute: {stands}.")


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
