"""How excursions end, and what does not end them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.signals.packs import shipped_packs
from detector.stream.anomaly import Ending, Happened, Happening, Judged
from detector.stream.closing import excused
from detector.stream.columns import STALE
from detector.stream.feedback import Feedback, told
from detector.stream.introducing import introduced
from detector.stream.operator import step
from detector.stream.scorer import ModelScorer
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from models.anomaly.scored import Settings
from tests.detector.stream.streams import (
    MINUTE,
    T0,
    again,
    columns_of,
    following,
    series_of,
    stream_of,
)

HOUR = 60 * MINUTE
CALM = [0.0] * 5


def brought(state: StreamState, *samples: tuple[int, int, float]) -> list[Happened]:
    """What happens when these come."""
    return list(step(state, columns_of(samples))[1])


def endings(happened: list[Happened]) -> list[tuple[str, Ending | None]]:
    """Whose anomalies were closed and why, in order."""
    return [
        (one.anomaly.subject.service, one.anomaly.ending)
        for one in happened
        if one.kind is Happening.CLOSED
    ]


def test_a_marker_that_comes_late_ends_nothing() -> None:
    """A retried batch of a series' former life would close what is going on now."""
    state = stream_of(series_of(1))
    brought(state, (0, MINUTE, 4.0), (0, 3 * MINUTE, 5.0))
    late = brought(state, (0, 2 * MINUTE, float(STALE)))
    after = brought(state, (0, 4 * MINUTE, 9.0))
    assert late == []
    assert [one.kind for one in after] == [Happening.GREW]


def test_a_marker_of_a_calm_series_says_nothing() -> None:
    """Every pod that is replaced would be an event."""
    assert following(stream_of(series_of(1)), [0.0, float(STALE), 0.0]) == []


def test_a_marker_of_one_series_leaves_the_anomaly_to_the_others() -> None:
    """One pod of twelve that dies would close what still happens to eleven."""
    state = stream_of(series_of(2))
    brought(state, (0, MINUTE, 4.0), (1, MINUTE, 4.0))
    assert endings(brought(state, (0, 2 * MINUTE, float(STALE)))) == []
    happened = brought(state, (1, 3 * MINUTE, float(STALE)))
    assert endings(happened) == [("checkout", Ending.SILENT)]
    assert happened[0].anomaly.members == 2


def test_what_falls_silent_first_is_closed_first() -> None:
    """A timeline would tell the end of the second before that of the first."""
    state = stream_of([*series_of(1), *series_of(1, service="cart"), *series_of(1, service="web")])
    brought(state, (1, MINUTE, 4.0), (0, 2 * MINUTE, 4.0))
    happened = brought(state, (2, 3 * HOUR, 0.0))
    assert endings(happened) == [("cart", Ending.SILENT), ("checkout", Ending.SILENT)]
    assert [one.at - T0 for one in happened] == [HOUR + MINUTE, HOUR + 2 * MINUTE]


@given(st.integers(1, 59))
def test_a_series_that_still_comes_does_not_fall_silent(every: int) -> None:
    """A slow series would be closed between two of its samples."""
    state = stream_of(series_of(1))
    samples = [(0, n * every * MINUTE, 4.0) for n in range(1, 8)]
    assert endings(brought(state, *samples)) == []


def test_what_is_calm_must_be_so_for_its_time_too() -> None:
    """Three scrapes of a second each would be a recovery."""
    state = stream_of(series_of(1))
    brought(state, (0, MINUTE, 4.0))
    soon = [(0, MINUTE + n * 1000, 0.0) for n in range(1, 60)]
    assert brought(state, *soon) == []
    assert endings(brought(state, (0, 3 * MINUTE, 0.0))) == [("checkout", Ending.CALM)]


def said_normal(state: StreamState, id: str) -> list[Happened]:
    """A person calls the anomaly normal."""
    feedback = Feedback(
        anomaly=id, judged=Judged.NORMAL, at=state.watermark, series=(0,), surprise=(4.0,)
    )
    return list(told(state, feedback)[1])


def test_what_was_called_normal_is_not_heard_of_when_it_falls_silent() -> None:
    """Whoever dismissed an alarm would be told of its end."""
    state = stream_of(series_of(2))
    opened = brought(state, (0, MINUTE, 4.0))
    assert endings(said_normal(state, opened[0].anomaly.id)) == [("checkout", Ending.FEEDBACK)]
    assert brought(state, (1, 3 * HOUR, 0.0)) == []
    assert state.excursions == {}


def test_what_was_called_normal_stays_so_over_a_restart() -> None:
    """The same alarm would come again with every deployment of the worker."""
    state = stream_of(series_of(1))
    opened = brought(state, (0, MINUTE, 9.0))
    said_normal(state, opened[0].anomaly.id)
    restored = again(state, taken(state))
    assert following(restored, [20.0, 30.0, *CALM]) == []
    assert following(restored, [30.0])[0].kind is Happening.OPENED


def test_calling_what_is_not_open_normal_closes_nothing() -> None:
    """A click on an old page would close what is going on now."""
    state = stream_of(series_of(1))
    brought(state, (0, MINUTE, 4.0))
    assert list(excused(state, "an_other", state.watermark)) == []
    assert [series for series, _ in state.excursions] == [0]


def test_an_anomaly_that_is_past_is_forgotten() -> None:
    """Memory would hold every anomaly there ever was."""
    state = stream_of(series_of(1))
    following(state, [4.0, *CALM])
    assert len(state.resting) == 1
    brought(state, *((0, n * HOUR, 0.0) for n in range(1, 15)))
    assert state.resting == {}


@given(st.floats(-1e9, 1e9), st.sampled_from([10.0, 1e6]))
def test_a_series_that_never_moves_never_alarms_however_many_alarms_are_accepted(
    level: float, alarms: float
) -> None:
    """Who accepts more alarms than there are odd samples would get one a minute."""
    settings = StreamSettings(alarms_a_week=alarms)
    state = StreamState(tenant="acme", scorer=ModelScorer(Settings()), settings=settings)
    state = introduced(state, series_of(1), Owners(shipped_packs()))
    assert brought(state, *((0, n * MINUTE, level) for n in range(300))) == []
    assert float(state.tracks.needed(0)) < 0.0
