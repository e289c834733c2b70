"""Anomalies as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits
from api.bodies.traced import LineTraceAnswer, Link, TraceAnswer, no_link, traces_body
from api.section import Section
from detector.stream.anomaly import Anomaly, Contribution, Happened, Judged, LineNote
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.feedback import Tuning
from detector.stream.record import AnomalyPage, KeptAnomaly
from detector.stream.words import told_in_words

__all__ = ["AnomaliesAnswer", "AnomalyAnswer", "FeedbackBody", "anomaly_body", "event_body",
           "page_body", "topic_body"]  # fmt: skip


class FeedbackBody(Section):
    """What a person says of an anomaly."""

    verdict: Judged = Field(description="`normal`: do not alarm for this; `real`: it was right.")
    person: str = Field("", max_length=200, description="Who says so.")
    note: str = Field("", max_length=2000, description="Why.")


class TuningAnswer(Answer):
    """What feedback made of a series."""

    shift: float = Field(description="Decades rarer than usual a value must be to alarm.")
    normal: int = Field(description="How often it was called normal.")
    real: int = Field(description="How often it was called real.")


class ContributionAnswer(Answer):
    """One series at its worst."""

    labels: dict[str, str] = Field(description="The series.")
    value: float = Field(description="Its value; of a counter, per second.")
    expected: float = Field(description="What was expected.")
    low: float = Field(description="Lower end of the expected range.")
    high: float = Field(description="Upper end of the expected range.")
    at: str = Field(description="When.")
    since: str = Field(description="First abnormal sample.")
    until: str | None = Field(description="Last abnormal sample; null while it lasts.")
    excess: float = Field(description="Widths of the range that it was outside of it, at most 99.")
    by_chance: float = Field(description="How often a week a series is so odd by chance.")
    share: float | None = Field(description="Of a metric in how odd its service is as a whole.")
    tuning: TuningAnswer | None = Field(description="Null where nobody said anything.")


class SaidAnswer(Answer):
    """What a person said."""

    at: str = Field(description="When.")
    verdict: Literal["normal", "real"] = Field(description="What.")
    person: str = Field(description="Who.")
    note: str = Field(description="Why.")


class LineAnswer(Answer):
    """A template of log lines; redacted."""

    template: str = Field(description="Its id at `/v1/templates`.")
    level: str = Field(description="The gravest level that it came with.")
    title: str = Field(description="What it is in a few words.")
    text: str = Field(description="The template.")
    line: str = Field(description="The first of its lines.")
    count: int = Field(description="Lines that came of it.")
    every_s: float | None = Field(description="How far apart they are; null where irregular.")
    traces: list[LineTraceAnswer] = Field(description="Of some of its lines, at most three.")


class AnomalyAnswer(Answer):
    """One signal of one service out of its expected range for a while."""

    id: str = Field(description="Its id.", examples=["an_6f1c0e9a8b7d4c3f2a10"])
    kind: Literal["metric", "service", "log_novelty", "log_silence"] = Field(
        description="What is odd."
    )
    text: str = Field(description="All of it in a sentence.")
    state: Literal["open", "closed"] = Field(description="Whether it lasts.")
    severity: Literal["low", "medium", "high"] = Field(description="How bad at its worst.")
    service: str | None = Field(description="Whose; null where no label tells.")
    namespace: str | None = Field(description="Where.")
    cluster: str | None = Field(description="In which cluster.")
    metric: str = Field(description="Of which metric.")
    side: Literal["above", "below"] = Field(description="Of its expected range.")
    since: str = Field(description="First abnormal sample.")
    until: str | None = Field(description="Last abnormal sample; null while it lasts.")
    again: str | None = Field(description="First since it opened again; null if it never did.")
    ended: Literal["calm", "silent", "feedback"] | None = Field(description="Why it is closed.")
    series: int = Field(description="Series that took part.")
    of: int = Field(description="Series that there are.")
    peak: ContributionAnswer = Field(description="The worst of them.")
    contributions: list[ContributionAnswer] = Field(description="The worst 50, worst first.")
    lines: list[LineAnswer] = Field(description="Of anomalies of logs, as the contributions.")
    traces: list[TraceAnswer] = Field(description="Requests of its time, at most five.")
    feedback: list[SaidAnswer] = Field(description="What people said, oldest first.")
    links: dict[str, str] = Field(description="Where to find it.")


class AnomaliesAnswer(Answer):
    """A page of anomalies, newest first."""

    anomalies: list[AnomalyAnswer] = Field(description="This page.")
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


def page_body(page: AnomalyPage, link: Link = no_link) -> dict[str, Any]:
    """A page as JSON."""
    return {"anomalies": [anomaly_body(one, link) for one in page.anomalies], "next": page.next}


def event_body(happened: Happened, link: Link = no_link) -> dict[str, Any]:
    """What happened, as it is sent to those who follow."""
    anomaly = happened.anomaly
    return {
        "event": happened.kind.value,
        "at": _time(happened.at),
        **_head(anomaly, is_rate=False),
        "traces": traces_body(anomaly.traces, link),
    }


def topic_body(happened: Happened, series: Mapping[int, SeriesInfo], link: Link = no_link) -> bytes:
    """What happened, as it is written to a topic: the whole anomaly, with series by their ids."""
    kept = KeptAnomaly(anomaly=happened.anomaly, series=series, tunings={})
    head = {
        "event": happened.kind.value,
        "at": _time(happened.at),
        "tenant": happened.anomaly.tenant,
    }
    return msgspec.json.encode(head | anomaly_body(kept, link))


def anomaly_body(kept: KeptAnomaly, link: Link = no_link) -> dict[str, Any]:
    """An anomaly as JSON; `link` tells where a trace is looked up."""
    anomaly = kept.anomaly
    peak = kept.series.get(anomaly.peak.series)
    is_rate = peak is not None and peak.kind is SeriesKind.CUMULATIVE
    shares = dict(enumerate(one.share for one in anomaly.metrics))
    told = [
        _contribution(one, kept, shares.get(at)) for at, one in enumerate(anomaly.contributions)
    ]
    return {
        **_head(anomaly, is_rate=is_rate),
        "peak": told[0],
        "contributions": told,
        "lines": [_line(one, link) for one in anomaly.lines],
        "traces": traces_body(anomaly.traces, link),
        "feedback": [
            {
                "at": _time(said.at),
                "verdict": said.judged.value,
                "person": said.person,
                "note": said.note,
            }
            for said in kept.feedback
        ],
        "links": {"self": f"/v1/anomalies/{anomaly.id}"},
    }


def _head(anomaly: Anomaly, *, is_rate: bool) -> dict[str, Any]:
    subject = anomaly.subject
    return {
        "id": anomaly.id,
        "kind": anomaly.kind.value,
        "text": told_in_words(anomaly, is_rate=is_rate),
        "state": anomaly.state.value,
        "severity": anomaly.severity.value,
        "service": subject.service or None,
        "namespace": subject.namespace or None,
        "cluster": subject.cluster or None,
        "metric": subject.metric,
        "side": anomaly.side.value,
        "since": _time(anomaly.start),
        "until": None if anomaly.end is None else _time(anomaly.end),
        "again": None if anomaly.again is None else _time(anomaly.again),
        "ended": None if anomaly.ending is None else anomaly.ending.value,
        "series": anomaly.members,
        "of": anomaly.live,
    }


def _line(one: LineNote, link: Link) -> dict[str, Any]:
    return {
        "template": one.template,
        "level": one.level,
        "title": one.title,
        "text": one.text,
        "line": one.line,
        "count": one.count,
        "every_s": digits(one.every_s) or None,
        "traces": [{"trace_id": trace, "url": link(trace)} for trace in one.traces],
    }


def _contribution(one: Contribution, kept: KeptAnomaly, share: float | None) -> dict[str, Any]:
    series: SeriesInfo | None = kept.series.get(one.series)
    return {
        "labels": dict(series.labels) if series is not None else {},
        "value": digits(one.value),
        "expected": digits(one.expected),
        "low": digits(one.low),
        "high": digits(one.high),
        "at": _time(one.peak_at),
        "since": _time(one.start),
        "until": None if one.end is None else _time(one.end),
        "excess": digits(one.excess),
        "by_chance": float(f"{10.0**-one.surprise:.2g}"),
        "share": None if share is None else digits(share),
        "tuning": _tuning(kept.tunings.get(one.series)),
    }


def _tuning(tuning: Tuning | None) -> dict[str, Any] | None:
    if tuning is None:
        return None
    return {"shift": tuning.shift, "normal": tuning.normal, "real": tuning.real}


def _time(at: int) -> str:
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")
