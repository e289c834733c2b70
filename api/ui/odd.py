"""An anomaly as a card: what is odd, by how much, since when, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from api.bodies.traced import Link, no_link
from api.ui.marked import shortened
from api.ui.odd_parts import OddLine, OddTrace, Scale, line_of, scale_of, trace_of
from api.ui.wording import about, day_clock, exactly
from detector.gate.verdict import Verdict
from detector.gate.words import duration
from detector.logs.plain import plain
from detector.stream.anomaly import (
    Anomaly,
    AnomalyKind,
    AnomalyState,
    Ending,
    Severity,
    Side,
)
from detector.stream.columns import SeriesKind
from detector.stream.record import KeptAnomaly
from detector.stream.words import number_text, told_in_words

__all__ = ["Change", "Odd", "odd_of"]

_LINES, _LABELS, _METRICS = 3, 12, 8
_BEFORE_S = 7200.0
_KINDS = {
    AnomalyKind.METRIC: "metric",
    AnomalyKind.SERVICE: "all metrics together",
    AnomalyKind.LOG_NOVELTY: "new log lines",
    AnomalyKind.LOG_SILENCE: "silent log line",
}
_ENDS = {
    Ending.CALM: "back to normal",
    Ending.SILENT: "stopped reporting",
    Ending.FEEDBACK: "called normal by a person",
}
_ADVICE = {
    AnomalyKind.METRIC: (
        "See whether a rollout or a change of this service began shortly before, and which log"
        " lines are new; if this is how it should be, say that it is normal."
    ),
    AnomalyKind.LOG_NOVELTY: (
        "Read the line. If a rollout began shortly before, its page says whether the canary alone"
        " writes it; if it means nothing, say that it is normal."
    ),
    AnomalyKind.LOG_SILENCE: (
        "The service still logs, and this line is missing: see whether what wrote it (a job, a"
        " consumer, a timer) still runs; if it was taken out, say that it is normal."
    ),
}
_OF_LINES = (AnomalyKind.LOG_NOVELTY, AnomalyKind.LOG_SILENCE)
_SPANS = "traces_span_metrics_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A rollout that began shortly before an anomaly."""

    words: str
    attempt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """One anomaly in words; `facts` by name, `normal` and `real` are what a person may type."""

    id: str
    severity: Severity
    is_open: bool
    kind: str
    service: str
    text: str
    since: str
    since_exact: str
    ago: str
    scale: Scale | None
    facts: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    lines: tuple[OddLine, ...]
    more_lines: int
    metrics: tuple[tuple[str, str, str], ...]
    traces: tuple[OddTrace, ...]
    change: Change | None
    advice: str
    said: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]


def odd_of(
    kept: KeptAnomaly,
    *,
    now: float,
    base: str,
    link: Link = no_link,
    verdicts: Sequence[Verdict] = (),
) -> Odd:
    """The card of an anomaly as it is shown at `now`; `link` tells where a trace is looked up.

    `verdicts` are the newest of rollouts, among which what began shortly before it is looked for.
    """
    anomaly = kept.anomaly
    peak = kept.series.get(anomaly.peak.series)
    is_rate = peak is not None and peak.kind is SeriesKind.CUMULATIVE
    start = anomaly.start / 1000
    is_metric = anomaly.kind is AnomalyKind.METRIC
    return Odd(
        id=anomaly.id,
        severity=anomaly.severity,
        is_open=anomaly.state is AnomalyState.OPEN,
        kind="spans" if anomaly.subject.metric.startswith(_SPANS) else _KINDS[anomaly.kind],
        service=plain(anomaly.subject.service),
        text=shortened(told_in_words(anomaly, is_rate=is_rate), 600),
        since=day_clock(start, near=now),
        since_exact=exactly(start),
        ago=about(start - now),
        scale=scale_of(anomaly.peak, is_rate=is_rate) if is_metric else None,
        facts=_facts(anomaly, now, is_rate=is_rate),
        labels=_labels(() if peak is None or not is_metric else peak.labels),
        lines=tuple(line_of(one) for one in anomaly.lines[:_LINES]),
        more_lines=max(0, anomaly.members - _LINES) if anomaly.lines else 0,
        metrics=_metrics(anomaly),
        traces=tuple(trace_of(one, link, now) for one in anomaly.traces),
        change=_change(anomaly, verdicts),
        advice=_advice(anomaly),
        said=tuple(_said(kept, now)),
        commands=_commands(anomaly, base),
    )


def _facts(anomaly: Anomaly, now: float, *, is_rate: bool) -> tuple[tuple[str, str], ...]:
    """Times, and of a metric the direction, its range and in how many series."""
    begin, peak = anomaly.start / 1000, anomaly.peak
    facts = [("Start", day_clock(begin, near=now))]
    if anomaly.kind not in _OF_LINES:
        facts.append(("Peak", day_clock(peak.peak_at / 1000, near=now)))
    facts.append(("End", _end(anomaly, now)))
    if anomaly.kind is AnomalyKind.METRIC:
        unit = "/s" if is_rate else ""
        side = "above" if anomaly.side is Side.ABOVE else "below"
        low, high = number_text(peak.low), number_text(peak.high)
        facts += [
            ("Direction", f"{side} what is expected"),
            ("Value at the peak", f"{number_text(peak.value)}{unit}"),
            ("Expected range", f"{low} to {high}{unit}"),
            ("Series", f"{anomaly.members:,} of {anomaly.live:,}"),
            ("By chance", _chance(peak.surprise)),
        ]
    where = " / ".join(w for w in (anomaly.subject.cluster, anomaly.subject.namespace) if w)
    return (*facts, *([("Where", plain(where))] if where else []))


def _end(anomaly: Anomaly, now: float) -> str:
    if anomaly.state is AnomalyState.OPEN or anomaly.end is None:
        return "it lasts"
    why = "" if anomaly.ending is None else f" ({_ENDS[anomaly.ending]})"
    return f"{day_clock(anomaly.end / 1000, near=now)}{why}"


def _chance(surprise: float) -> str:
    """How often a series is so odd without a cause."""
    weeks = 10.0 ** min(surprise, 12.0)
    if weeks < 10:
        return f"about {1 / weeks:.1g} times a week"
    return f"once in {weeks:,.0f} weeks" if weeks < 1e5 else "practically never"


def _labels(labels: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((shortened(name, 60), shortened(value, 120)) for name, value in labels[:_LABELS])


def _metrics(anomaly: Anomaly) -> tuple[tuple[str, str, str], ...]:
    """Of a service that is odd as a whole its metrics: share, and value beside what is expected."""
    rows = zip(anomaly.metrics, anomaly.contributions, strict=False)
    return tuple(
        (
            shortened(note.metric, 120),
            f"{100 * note.share:.0f} %",
            f"{number_text(one.value)}, expected {number_text(one.low)} to {number_text(one.high)}",
        )
        for note, one in rows
    )[:_METRICS]


def _change(anomaly: Anomaly, verdicts: Sequence[Verdict]) -> Change | None:
    """The rollout of the service whose canary came last before it, within two hours."""
    start = anomaly.start / 1000
    began = [
        (start - one.started_at.timestamp(), one)
        for one in verdicts
        if one.service == anomaly.subject.service and one.started_at is not None
    ]
    before = [(after, one) for after, one in began if 0 <= after <= _BEFORE_S]
    if not before:
        return None
    after, one = min(before, key=lambda found: found[0])
    name = shortened(one.revision or one.rollout or "", 60)
    words = f"It began {duration(after)} after the canary {name}".rstrip()
    return Change(words=f"{words} was first seen ({one.outcome.value}).", attempt=one.attempt)


def _advice(anomaly: Anomaly) -> str:
    """The next move of somebody who was just woken."""
    return _ADVICE.get(anomaly.kind, _ADVICE[AnomalyKind.METRIC])


def _said(kept: KeptAnomaly, now: float) -> list[str]:
    found = []
    for one in kept.feedback:
        who = shortened(one.person) or "somebody"
        note = f": {shortened(one.note, 400)}" if one.note else ""
        found.append(f"{who} said {one.judged.value} at {day_clock(one.at / 1000, near=now)}{note}")
    return found


def _commands(anomaly: Anomaly, base: str) -> tuple[tuple[str, str], ...]:
    """What says to serinus whether it was right; quoting is safe, as ids are ours."""
    found = []
    for what, word in (("It is normal: do not alarm for this", "normal"), ("It was real", "real")):
        body = json.dumps({"verdict": word, "person": "YOU"})
        url = f"{base}/v1/anomalies/{anomaly.id}/feedback"
        found.append((what, f"curl {url} -H 'Content-Type: application/json' -d '{body}'"))
    return tuple(found)
