"""Objectives are read whole from OpenSLO, or refused with the field that is to be mended."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.selector import format_query
from detector.slo.objective import BurnCondition, Counted, Objective, OfSignal
from detector.slo.window import Calendar, Rolling, parse_duration
from pipelines.slo.openslo import parse_objectives

SHOP = (Path(__file__).parent / "golden" / "shop.yaml").read_text("utf-8")
WHOLE = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: a
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'ok_total{a="b"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def read(text: str) -> tuple[Objective, ...]:
    return parse_objectives(text, origin="slo.yaml")


def test_a_file_of_many_documents_is_read_whole() -> None:
    """Two targets of one SLO are two objectives; the shorthand stands beside them."""
    found = {one.name: one for one in read(SHOP)}
    assert list(found) == ["checkout.1", "checkout.2", "search", "cart-error-rate"]
    assert [one.target for one in found.values()] == [0.999, pytest.approx(0.9999), 0.99, 0.995]
    assert found["checkout.1"].window == Rolling(seconds=4 * 7 * 86_400.0, text="4w")


def test_bad_or_good_are_selectors_of_counters() -> None:
    """What is summed is what each counter grew."""
    checkout, _, search, _ = (one.indicator for one in read(SHOP))
    assert isinstance(checkout, Counted)
    assert isinstance(search, Counted)
    assert (checkout.part_is_good, search.part_is_good) == (False, True)
    assert format_query(checkout.part) == 'http_requests_total{service="checkout",code=~"5.."}'


def test_a_condition_is_found_by_its_name() -> None:
    """Policies and conditions of the same file are followed."""
    assert read(SHOP)[0].conditions == (
        BurnCondition(
            name="fast",
            severity="page",
            threshold=14.4,
            lookback_s=3600.0,
            after_s=300.0,
            inclusive=True,
        ),
    )


def test_a_month_of_the_calendar_keeps_its_zone() -> None:
    """A month begins at midnight where the people live."""
    window = read(SHOP)[2].window
    duration = parse_duration("1M", field="")
    assert window == Calendar(
        duration=duration,
        start=datetime.fromisoformat("2026-01-01"),
        zone=ZoneInfo("Europe/Berlin"),
    )


def test_the_shorthand_needs_no_query() -> None:
    """What discovery binds is named and nothing more."""
    last = read(SHOP)[-1]
    assert (last.service, last.indicator) == ("cart", OfSignal(signal="error_rate"))


REFUSED = {
    "slices of time": ("Occurrences", "Timeslices", "budgetingMethod"),
    "means of ratios": ("Occurrences", "RatioTimeslices", "budgetingMethod"),
    "an unknown word": ("service: a", "service: a\n  sevice: b", "sevice"),
    "100 per cent": ("target: 0.99", "target: 1.0", "objectives[0].target"),
    "no number": ("target: 0.99", "target: .nan", "objectives[0].target"),
    "two targets": ("target: 0.99", "target: 0.99, targetPercent: 99", "objectives[0]"),
    "a target of text": ("target: 0.99", "target: high", "objectives[0].target"),
    "a slice's target": ("target: 0.99", "target: 0.99, timeSliceTarget: 0.9", "timeSliceTarget"),
    "no target": ("[{target: 0.99}]", "[]", "objectives"),
    "another version": ("openslo/v1", "openslo/v2alpha", "apiVersion"),
    "another kind": ("kind: SLO", "kind: Slo", "kind"),
    "another source": ("type: Prometheus", "type: Datadog", "metricSource.type"),
    "a rate": ("query: all_total", "query: 'sum(rate(all_total[5m]))'", "spec.query"),
    "a ratio in a query": ("query: all_total", "query: 'a / b'", "spec.query"),
    "a broken selector": ("query: all_total", "query: 'x{a=}'", "spec.query"),
    "no metric": ("query: all_total", "query: '{a=\"b\"}'", "spec.query"),
    "gauges": ("counter: true", "counter: false", "counter"),
    "good and bad": (
        "counter: true",
        "counter: true\n        bad: {metricSource: {spec: {query: x}}}",
        "ratioMetric",
    ),
    "a ratio of others": (
        "counter: true",
        "raw: {metricSource: {spec: {query: x}}}",
        "raw",
    ),
    "a rolling month": ("duration: 28d", "duration: 1M", "timeWindow.duration"),
    "no duration": ("duration: 28d", "duration: 28 days", "timeWindow.duration"),
    "a window of years": ("duration: 28d", "duration: 4000d", "timeWindow.duration"),
    "neither window": ("isRolling: true", "isRolling: false", "timeWindow"),
    "an absent indicator": (
        "  timeWindow",
        "  indicatorRef: other\n  timeWindow",
        "give one of indicator",
    ),
    "an absent policy": (
        "  timeWindow",
        "  alertPolicies: [{alertPolicyRef: none}]\n  timeWindow",
        "alertPolicies[0]",
    ),
    "a name of spaces": ("{name: a}", "{name: 'a b'}", "a b"),
}


@pytest.mark.parametrize(("old", "new", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_done_is_refused_by_its_field(old: str, new: str, named: str) -> None:
    """Nothing that a person wrote is left out in silence."""
    assert old in WHOLE
    with pytest.raises(ConfigError, match=r"slo\.yaml") as refused:
        read(WHOLE.replace(old, new, 1))
    assert named in str(refused.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
def test_a_zone_that_there_is_not(zone: str) -> None:
    """A name of a zone opens no other file."""
    calendar = f"calendar: {{startTime: 2026-01-01 00:00:00, timeZone: '{zone}'}}"
    with pytest.raises(ConfigError, match="timeZone"):
        read(WHOLE.replace("isRolling: true", calendar))


def test_a_threshold_of_a_gauge_is_refused_with_the_way_out() -> None:
    """It counts no requests."""
    text = "      thresholdMetric: {metricSource: {spec: {query: x}}}\n"
    begin, end = WHOLE.index("      ratioMetric"), WHOLE.index("  timeWindow")
    with pytest.raises(ConfigError, match="use ratioMetric, or the shorthand"):
        read(WHOLE[:begin] + text + WHOLE[end:])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [1]\nb: *a", "aliases"),
        ("[" * 60 + "]" * 60, "nested"),
        ("# " + "x" * (1 << 20), "bytes"),
        ("[", "not YAML"),
        ("", "no objective"),
        ("just words", "document 1"),
        (WHOLE + "---" + WHOLE, "twice"),
    ],
)
def test_files_are_bounded(text: str, told: str) -> None:
    """Neither a bomb of aliases nor a file of megabytes takes the process down."""
    with pytest.raises(ConfigError, match=told):
        read(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """There is one way to fail."""
    for one in (text, WHOLE.replace("all_total", repr(text))):
        with contextlib.suppress(ConfigError):
            assert read(one)
