"""A verdict for somebody who reads `fail` and asks why; plain text, or colours at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.cli import amounts
from api.cli.told import Signal, Told

__all__ = ["Place", "Report", "plain", "report_of", "show"]

HEAD = (
    "signal", "says", "canary", "control",
    "effect (90 %)", "tolerated", "limit", "evidence of harm",
)  # fmt: skip
COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}
NUMBERS = range(2, len(HEAD))
AGAIN = "then ask again, or let --wait do so"
NO_WAIT = "waiting alone does not help"
# What to do where more time alone does not help.
UNDECIDED = {
    "deadline_reached": "decide yourself, or begin a new try with --attempt and a later --deadline",
    "no_canary_data": f"see that --canary names pods that serve requests; {AGAIN}",
    "no_control_data": f"name by --control what it is compared with; {AGAIN}",
    "source_unavailable": f"see that the metric source answers; {AGAIN}",
    "query_rejected": f"see what the metric source refuses; {AGAIN}",
    "stale_data": f"see that both sides are still scraped; {AGAIN}",
    "signal_missing": f"add a pack for it, or let the policy say required: false; {NO_WAIT}",
    "incompatible_histograms": f"give both sides the same latency buckets; {NO_WAIT}",
    "shared_incident": f"look at what both sides depend on; {AGAIN}",
    "budget_burning": f"look at what fails in the whole service; {AGAIN}",
    "scan_limit": f"mend what the scanner found in a new revision; {NO_WAIT}",
    "scan_missing": f"tell a report of this revision by serinus scan; {AGAIN}",
    "capacity_short": f"raise the limit of what would run out, or use less; {NO_WAIT}",
    "capacity_unknown": f"see at /v1/capacity why it is not assessed; {AGAIN}",
    "control_exhausted": "leave the control more traffic, or set allow_control_exhausted",
    "load_not_comparable": f"scale the canary with its weight; {AGAIN}",
    "needs_pods": f"run more canary pods, or widen the limit in the policy; {NO_WAIT}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it was asked: `url` of a server, or `flags` that find the verdict again, or neither.

    `is_past`: nobody asks now, so there is no next move.
    """

    url: str | None = None
    flags: str | None = None
    is_past: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is shown, in order."""

    answer: str
    sentence: str
    about: str
    rows: tuple[tuple[str, ...], ...]
    why: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def report_of(told: Told, place: Place) -> Report:
    """The words of a verdict."""
    return Report(
        answer=told.answer,
        sentence=told.reason.text,
        about=_about(told),
        rows=tuple(_row(signal) for signal in told.signals),
        why=tuple(_why(told)),
        facts=tuple(_facts(told, place)),
    )


def _about(told: Told) -> str:
    what = " ".join(part for part in (told.service, told.revision) if part)
    asked = "may it go on?" if told.stage == "step" else "may it become stable?"
    final = ", final" if told.final else ""
    return f"{what}: {asked} As of {told.as_of}{final}, policy {told.policy}, mode {told.mode}."


def _row(signal: Signal) -> tuple[str, ...]:
    tolerated, limit = amounts.bounds(signal.effect)
    return (
        signal.name,
        signal.outcome if signal.judged else f"({signal.outcome})",
        amounts.level(signal.canary, signal.unit),
        amounts.level(signal.control, signal.unit),
        amounts.effect(signal.effect),
        tolerated,
        limit,
        amounts.evidence(signal),
    )


def _why(told: Told) -> Iterator[str]:
    """What the signals that do not pass say, unless the whole verdict has said it."""
    for signal in told.signals:
        if signal.outcome != "pass" and signal.reason.text != told.reason.text:
            where = "" if signal.scope == "arm" else f" on {signal.scope}"
            aside = "" if signal.judged else " (shown only)"
            yield f"{signal.name}{where}{aside}: {signal.reason.text}"


def _facts(told: Told, place: Place) -> Iterator[tuple[str, str]]:
    if told.answer != told.outcome:
        yield "judged", f"{told.outcome}; mode {told.mode} answers {told.answer}"
    yield "code", f"{told.reason.code} (docs/troubleshooting.md#{told.reason.code})"
    lacking = amounts.needs(told.needs)
    if told.outcome != "fail" and lacking is not None:
        yield "needs", lacking
    if told.waiting is not None:
        yield "waiting", told.waiting
    yield from (("note", note) for note in told.notes if note not in told.reason.text)
    if place.url is not None or place.flags is not None or place.is_past:
        yield "verdict", f"{told.id} of attempt {told.attempt}"
    if place.url is not None:
        yield "page", f"{place.url}/rollouts/{told.attempt}"
    if not place.is_past:
        where = _where(place)
        if where is not None and told.outcome != "pass":
            yield "why", f"serinus explain {told.id} {where}"
        yield "next", _next(told, place)


def _where(place: Place) -> str | None:
    """The option by which another command finds the verdict; None where it was not kept."""
    return f"--server {place.url}" if place.url is not None else place.flags


def _next(told: Told, place: Place) -> str:
    if told.answer == "pass":
        return _after_pass(told)
    if told.answer == "fail" or told.outcome == "fail":
        return _after_fail(told, place)
    if told.reason.code in UNDECIDED:
        return UNDECIDED[told.reason.code]
    if told.final:
        return "a person has decided; ask again when that has ended"
    return "ask again later, or let --wait do so"


def _after_pass(told: Told) -> str:
    if told.outcome != "pass":
        return f"nothing stops this rollout in mode {told.mode}; what was judged is above"
    if told.stage == "step":
        return "go on; ask with --stage final before it becomes the stable version"
    return "it may become the stable version"


def _after_fail(told: Told, place: Place) -> str:
    back = "roll back" if told.answer == "fail" else "the rollout pauses: roll back"
    where = _where(place)
    if where is None:
        return f"{back}; with --data DIR serinus keeps what replays this verdict"
    decide = f"serinus override {told.attempt} --outcome pass --for 1h --reason WHY {where}"
    return f"{back}; or, if you know better: {decide}"


def show(report: Report) -> None:
    """To standard output: in colours where that is a terminal."""
    if sys.stdout.isatty():
        _colourful(report)
    else:
        print(plain(report), end="")


def plain(report: Report) -> str:
    """The same text whatever the terminal: for logs and files."""
    lines = [f"{report.answer}: {report.sentence}", report.about, ""]
    if report.rows:
        lines += [*_aligned([HEAD, *report.rows]), ""]
    lines += [*report.why, ""] if report.why else []
    lines += [f"{name:<8} {words}" for name, words in report.facts]
    return "\n".join(lines) + "\n"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if index in NUMBERS else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _colourful(report: Report) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    colour = COLOURS[report.answer]
    console.print(Text(f"{report.answer.upper()}  ", f"bold {colour}") + Text(report.sentence))
    console.print(Text(f"{report.about}\n", "dim"))
    if report.rows:
        console.print(_table(report.rows))
    for line in report.why:
        console.print(Text(line))
    for name, words in report.facts:
        console.print(Text(f"{name:<8} ", "dim") + Text(words))


def _table(rows: Sequence[tuple[str, ...]]) -> object:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(HEAD):
        table.add_column(name, justify="right" if index in NUMBERS else "left")
    for row in rows:
        cells = [Text(cell) for cell in row]
        cells[1].stylize(COLOURS.get(row[1].strip("()"), ""))
        table.add_row(*cells)
    return table
