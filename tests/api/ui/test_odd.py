"""An anomaly as a card: of metrics, of lines, of a whole service, with requests of its time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ui.odd import Odd, odd_of
from api.ui.odd_parts import scale_of
from detector.stream.anomaly import Anomaly, AnomalyKind, Judged, LineNote, MetricNote
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.record import KeptAnomaly, KeptFeedback
from detector.stream.traced import SpentNote, TraceNote, TraceWhy
from tests.api.ui.scenes import Shop
from tests.pipelines.stores.test_anomalies import CLOSED, OPEN, SERIES, T0

EVIL = "\x1b[2J<b>\u202e" + "W" * 900
LINE = LineNote(
    template="lt_00000000000000aa", level="ERROR", title="no db", text="no <str> for <num>",
    line=f"no 'db' for 7␊{EVIL}", count=5,
)  # fmt: skip
TRACE = TraceNote(
    trace="0af7651916cd43dd8448eb211c80319c", span="b7ad6b7169203331", at=T0, duration_s=1.2,
    why=TraceWhy.SLOWEST, has_failed=False, service="checkout", version="v2",
    operation="POST /order", usual_s=0.2,
    spent=(SpentNote(service="checkout", operation="SELECT orders", seconds=0.9),),
)  # fmt: skip


def shown(anomaly: Anomaly, **more: object) -> Odd:
    """Its card, five minutes after it began."""
    kept = KeptAnomaly(anomaly=anomaly, series=SERIES, tunings={}, **more)  # type: ignore[arg-type]
    return odd_of(
        kept, now=T0 / 1000 + 300, base="http://x", link=lambda trace: f"https://traces/{trace}"
    )


def test_one_that_lasts_says_so() -> None:
    """Whether it still burns is the first question."""
    lasting, over = shown(OPEN), shown(CLOSED)
    assert (lasting.is_open, dict(lasting.facts)["End"]) == (True, "it lasts")
    assert over.is_open is False
    assert dict(over.facts)["End"].endswith("(back to normal)")
    assert lasting.ago == "5 minutes ago"


def test_counters_are_told_by_the_second() -> None:
    """An ever growing total tells nobody anything."""
    series = {7: replace(SERIES[7], kind=SeriesKind.CUMULATIVE)}
    kept = KeptAnomaly(anomaly=OPEN, series=series, tunings={})
    card = odd_of(kept, now=T0 / 1000, base="")
    assert dict(card.facts)["Value at the peak"] == "40/s"


def test_new_lines_are_shown_as_lines() -> None:
    """Of a new error its words matter; a range of none to none does not."""
    card = shown(replace(OPEN, kind=AnomalyKind.LOG_NOVELTY, lines=(LINE,)))
    (line,) = card.lines
    assert [part.text for part in line.parts if part.is_parameter] == ["<str>", "<num>"]
    assert (line.level, line.count) == ("error", "5 lines")
    assert line.sample.startswith("no 'db' for 7\n")
    assert "\x1b" not in line.sample
    assert "\u202e" not in line.sample
    assert card.scale is None
    assert "Expected range" not in dict(card.facts)
    assert card.advice.startswith("Read the line.")


def test_a_service_that_is_odd_as_a_whole_shows_its_metrics() -> None:
    """No single one need be odd: which ones make it so, and how far."""
    metrics = (MetricNote(metric="queue" + EVIL, share=0.7),)
    card = shown(replace(OPEN, kind=AnomalyKind.SERVICE, metrics=metrics))
    ((name, share, words),) = card.metrics
    assert name.startswith("queue<b>")
    assert "\x1b" not in name
    assert (share, words) == ("70 %", "40, expected 7 to 13")


def test_requests_of_its_time_are_there_to_look_at() -> None:
    """From an alarm to a trace is one click, where somebody told where traces are."""
    (trace,) = shown(replace(OPEN, traces=(TRACE,))).traces
    assert trace.url == f"https://traces/{TRACE.trace}"
    assert (trace.why, trace.took) == ("slowest", "1.2 s, usually 200 ms")
    assert trace.spent == (("checkout: SELECT orders", "900 ms"),)


def test_what_people_said_is_text_with_who_and_when() -> None:
    """The next on call knows that somebody looked already."""
    said = KeptFeedback(at=T0, judged=Judged.NORMAL, person="ada" + EVIL, note=EVIL)
    (text,) = shown(OPEN, feedback=(said,)).said
    assert text.startswith("ada<b>")
    assert "said normal at 14:13:20 UTC" in text
    assert "\u202e" not in text


def test_a_rollout_that_began_before_it_is_named() -> None:
    """What changed is the first question; one of an hour ago of another service is no answer."""
    shop = Shop(minutes=3, before=600, start=T0 / 1000 - 240)
    verdict = shop.ask(120.0)
    kept = KeptAnomaly(anomaly=OPEN, series=SERIES, tunings={})
    card = odd_of(kept, now=T0 / 1000, base="", verdicts=[verdict])
    assert card.change is not None
    assert card.change.words.startswith("It began 4 minutes after the canary v2.3.1 was first")
    assert card.change.attempt == verdict.attempt
    for other in (replace(verdict, service="cart"), replace(verdict, started_at=None)):
        assert odd_of(kept, now=T0 / 1000, base="", verdicts=[other]).change is None
    later = KeptAnomaly(anomaly=replace(OPEN, start=T0 + 10**8), series=SERIES, tunings={})
    assert odd_of(later, now=T0 / 1000, base="", verdicts=[verdict]).change is None


@pytest.mark.parametrize("kind", list(AnomalyKind))
def test_every_kind_has_words_and_advice(kind: AnomalyKind) -> None:
    """A new kind without advice is a page that fails at night."""
    card = shown(replace(OPEN, kind=kind, lines=(LINE,)))
    assert card.kind
    assert card.advice.endswith(".")


def test_hostile_labels_are_text() -> None:
    """Labels come with whatever is pushed."""
    evil = SeriesInfo(labels=(("__name__", "queue"), ("pod", EVIL)), kind=SeriesKind.GAUGE)
    card = odd_of(KeptAnomaly(anomaly=OPEN, series={7: evil}, tunings={}), now=T0 / 1000, base="")
    told = dict(card.labels)["pod"]
    assert len(told) <= 120
    assert "\x1b" not in told


FINITE = st.floats(-1e12, 1e12)


@given(low=FINITE, spread=st.floats(0, 1e12), value=FINITE)
def test_marks_stay_within_their_scale(low: float, spread: float, value: float) -> None:
    """A mark outside of the picture is one that nobody sees."""
    peak = replace(OPEN.peak, low=low, high=low + spread, value=value)
    drawn = scale_of(peak, is_rate=False)
    if drawn is not None:
        assert 0 <= drawn.low <= drawn.high <= 100
        assert 0 <= drawn.value <= 100
