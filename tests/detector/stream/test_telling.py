"""What people decide about alarms: windows, feedback, whose a series is, and the sentence."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.signals.packs import shipped_packs
from detector.stream.anomaly import Ending, Judged, Subject
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.feedback import LEAST, MOST, Feedback, told
from detector.stream.gathering import severity_of
from detector.stream.snapshot import taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from detector.stream.suppression import Window
from detector.stream.words import number_text, told_in_words
from tests.detector.stream.streams import MINUTE, T0, again, following, series_of, stream_of

CALM = [0.0] * 5


def window(**more: object) -> Window:
    """Ten minutes from the fifth on."""
    told = {"name": "backup", "start": T0 + 5 * MINUTE, "end": T0 + 15 * MINUTE, **more}
    return Window(**told)  # type: ignore[arg-type]


def test_planned_work_opens_nothing_and_its_aftermath_does() -> None:
    """A backup wakes nobody; what it broke does."""
    state = stream_of(series_of(1), windows=(window(),))
    happened = following(state, [0.0] * 4 + [5.0] * 12)
    assert [one.anomaly.start for one in happened] == [T0 + 15 * MINUTE]


@pytest.mark.parametrize(("service", "count"), [("check*", 0), ("cart", 1)])
def test_a_window_is_of_the_services_it_names(service: str, count: int) -> None:
    """Work on one service does not blind the others."""
    state = stream_of(series_of(1), windows=(window(service=service),))
    assert len(following(state, [0.0] * 5 + [5.0] * 3)) == count


@given(st.integers(0, 60 * 24 * 21), st.sampled_from([0, 86_400, 604_800]))
def test_a_window_that_comes_back_covers_the_same_minutes(minute: int, every: int) -> None:
    """Each Sunday night is as this one."""
    one = window(every_s=every)
    subject = Subject(service="a", namespace="", cluster="", metric="m")
    at = T0 + minute * MINUTE
    period = (every or 10**9) * 1000
    within = at >= one.start and (at - one.start) % period < 10 * MINUTE
    assert one.covers(subject, at) is within


@pytest.mark.parametrize("more", [{"end": T0}, {"every_s": 60}])
def test_a_window_that_cannot_be_is_refused(more: dict[str, int]) -> None:
    """It would cover nothing, or everything."""
    with pytest.raises(ValueError, match="backup"):
        window(**more)


def said(state: StreamState, judged: Judged, surprise: float, id: str = "none") -> Feedback:
    """Feedback about the first series."""
    return Feedback(
        anomaly=id, judged=judged, at=state.watermark, series=(0,), surprise=(surprise,)
    )


def test_normal_closes_and_keeps_the_same_from_coming_again() -> None:
    """Who says "normal" is not woken by the same value in the next hour."""
    state = stream_of(series_of(1))
    opened = following(state, [4.0])
    state, closed, tunings = told(state, said(state, Judged.NORMAL, 4.0, opened[0].anomaly.id))
    assert [one.anomaly.ending for one in closed] == [Ending.FEEDBACK]
    assert tunings[0].normal == 1
    assert tunings[0].shift == pytest.approx(1.3)
    assert following(state, [4.0, 4.0, *CALM]) == []
    assert following(state, [4.0, *CALM]) == []
    assert following(state, [9.0]) != []


def test_real_makes_the_next_alarm_easier() -> None:
    """And only of that series."""
    state = stream_of(series_of(2))
    assert following(state, [2.6, *CALM]) == []
    state, _, tunings = told(state, said(state, Judged.REAL, 4.0))
    assert (tunings[0].real, tunings[0].shift) == (1, -0.5)
    assert following(state, [2.6], series=1) == []
    assert len(following(state, [2.6])) == 1


@given(st.lists(st.tuples(st.sampled_from(Judged), st.floats(0, 50)), max_size=12))
def test_feedback_stays_within_bounds_and_outlives_a_restart(
    every: list[tuple[Judged, float]],
) -> None:
    """Nobody can silence a series for ever, or make it cry at noise, by clicking."""
    state = stream_of(series_of(1))
    for judged, surprise in every:
        state, _, _ = told(state, said(state, judged, surprise))
    shift = float(state.tracks["shift"][0])
    assert LEAST <= shift <= MOST
    restored = again(state, taken(state))
    assert float(restored.tracks["shift"][0]) == shift
    assert float(restored.tracks.needed(0)) == float(state.tracks.needed(0))


def test_feedback_about_unknown_series_changes_nothing() -> None:
    """An anomaly of before the state was lost may still be on somebody's screen."""
    state = stream_of(series_of(1))
    feedback = Feedback(anomaly="x", judged=Judged.NORMAL, at=T0, series=(7,), surprise=(3.0,))
    assert told(state, feedback)[1:] == ((), ())


@pytest.mark.parametrize(
    ("labels", "subject"),
    [
        (
            {"__name__": "http_requests_total", "job": "shop/checkout", "namespace": "shop"},
            ("checkout", "shop", "http_requests_total"),
        ),
        (
            {"__name__": "x_seconds_bucket", "le": "1", "service.name": "cart"},
            ("cart", "", "x_seconds"),
        ),
        (
            {"__name__": "queue", "pod": "mail-6d9f7c-k8w2d", "k8s_namespace_name": "m"},
            ("mail", "m", "queue"),
        ),
        (
            {"__name__": "istio_requests_total", "destination_service_name": "web", "job": "envoy"},
            ("web", "", "istio_requests_total"),
        ),
        ({"__name__": "up"}, ("", "", "up")),
    ],
    ids=["job", "opentelemetry", "pod", "istio", "nobody"],
)
def test_a_series_is_of_the_service_that_discovery_would_find(
    labels: dict[str, str], subject: tuple[str, str, str]
) -> None:
    """An anomaly and a rollout of one service bear one name."""
    series = SeriesInfo(labels=tuple(sorted(labels.items())), kind=SeriesKind.GAUGE)
    found = Owners(shipped_packs()).subject(series)
    assert (found.service, found.namespace, found.metric) == subject


@given(st.floats(0, 99), st.integers(1, 50), st.integers(1, 50))
def test_further_out_or_in_more_series_is_never_less_severe(
    excess: float, members: int, live: int
) -> None:
    """Whoever sorts by severity must find the worse first."""
    here = severity_of(excess, members, live).rank
    assert severity_of(excess + 1, members, live).rank >= here
    assert severity_of(excess, members + 1, live).rank >= here


def test_the_sentence_names_whose_what_how_far_and_since_when() -> None:
    """At three in the morning nobody looks for the field."""
    happened = following(stream_of(series_of(1)), [0.0, 4.0, 6.0, *CALM])
    assert told_in_words(happened[0].anomaly) == (
        "checkout: queue rose to 4 at 14:02 UTC, expected -1 to 1; it began at 14:02 UTC and lasts."
    )
    assert told_in_words(happened[-1].anomaly, is_rate=True) == (
        "checkout: queue rose to 6/s at 14:03 UTC, expected -1 to 1/s; "
        "it began at 14:02 UTC and was over after 1 min."
    )


def test_the_sentence_says_when_it_came_again() -> None:
    """What began in the night and is back at noon did not last for all of the morning."""
    happened = following(stream_of(series_of(1)), [4.0, *CALM, 5.0, *CALM])
    assert told_in_words(happened[2].anomaly).endswith(
        "it began at 14:01 UTC, came again at 14:07 UTC and lasts."
    )
    assert told_in_words(happened[3].anomaly).endswith(
        "it began at 14:01 UTC, came again at 14:07 UTC and was over after 6 min."
    )


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_short(value: float) -> None:
    """Seventeen digits hide the three that matter."""
    assert len(number_text(value)) <= 10
    assert (number_text(value) == "unknown") is not math.isfinite(value)
