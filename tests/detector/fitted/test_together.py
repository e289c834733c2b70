"""Services are judged live by their models: rows as in the batch, and anomalies of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.fitted.kept import kept, taken_up
from detector.fitted.model import FittedModel
from detector.fitted.telling import named
from detector.fitted.together import Together
from detector.fitted.unit import Row
from detector.stream.anomaly import AnomalyKind, AnomalyState, Happened, Happening, Judged
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.feedback import Feedback
from detector.stream.scorer import ModelScorer
from detector.stream.settings import StreamSettings
from detector.stream.state import StreamState
from detector.stream.suppression import Window
from detector.stream.words import told_in_words
from models.anomaly.scored import Settings
from tests.detector.fitted.fleet import DAY, NAMES, SCOPE, STEP_S, Fleet, fitted, ids, odd_fleet
from tests.profiles import HEAVY

SETTINGS = StreamSettings(alarms_a_week=0.25)
LIVE = 14 * DAY
HOUR = 60


def together(fleet: Fleet, model: FittedModel | None = None, **more: object) -> Together:
    """A service with a model and the series of its fleet."""
    made = Together("default", SETTINGS, **more)  # type: ignore[arg-type]
    made.use(model or fitted())
    made.introduce(fleet.infos, ids(fleet))
    return made


def happened(made: Together, fleet: Fleet, begin: int, end: int) -> list[Happened]:
    """What some minutes bring."""
    return [one for batch in fleet.batches(begin, end) for one in made.take(batch)]


def bits(made: Together) -> dict[str, bytes]:
    """All of it, to be compared."""
    return {name: array.tobytes() for name, array in kept(made).items()}


def again(made: Together, fleet: Fleet) -> Together:
    """The same from a snapshot."""
    return taken_up(
        {name: array.copy() for name, array in kept(made).items()},
        tenant="default",
        settings=SETTINGS,
        windows=(),
        origin="",
        named=dict(enumerate(fleet.infos)).get,
    )


@cache
def quiet() -> Fleet:
    """A fleet of three weeks with nothing wrong."""
    return Fleet(minutes=21 * DAY)


@cache
def odd() -> Fleet:
    """A fleet with something wrong."""
    return odd_fleet()


@cache
def told() -> tuple[Happened, ...]:
    """What is told of it."""
    fleet = odd()
    return tuple(happened(together(fleet), fleet, LIVE, 15 * DAY))


class Rows(Together):
    """It remembers the rows that it judged."""

    def __init__(self) -> None:
        super().__init__("default", SETTINGS)
        self.judged: list[Row] = []

    def _judged(self, number: int, row: Row) -> Iterator[Happened]:
        self.judged.append(row)
        return super()._judged(number, row)


def rows_of(fleet: Fleet, begin: int, end: int) -> list[Row]:
    """The rows of some minutes."""
    made = Rows()
    made.use(fitted())
    made.introduce(fleet.infos, ids(fleet))
    happened(made, fleet, begin, end)
    return made.judged


def test_rows_are_those_that_the_model_was_fitted_on() -> None:
    """Judged on other numbers than it learned, a model would call every service odd."""
    fleet = quiet()
    judged = {row.at: row.value for row in rows_of(fleet, LIVE - HOUR, LIVE + 10 * HOUR)}
    panel = fleet.panel(LIVE, LIVE + 9 * HOUR)
    assert panel.metrics == NAMES
    live = np.array(
        [judged[round((panel.first + at) * STEP_S * 1000)] for at in range(len(panel.x))]
    )
    np.testing.assert_array_equal(live, panel.x)


def test_a_quiet_week_brings_no_anomaly() -> None:
    """A feed that cries each week about nothing is muted."""
    fleet = quiet()
    assert happened(together(fleet), fleet, LIVE, LIVE + 7 * DAY) == []


def test_metrics_that_part_company_are_an_anomaly_of_the_service() -> None:
    """CPU and memory fall while requests are high: each alone has been there before."""
    opened, closed = told()[0], told()[-1]
    begin, end = (odd().at(minute) for minute in odd().odd)
    assert opened.kind is Happening.OPENED
    assert begin < opened.at < end
    assert opened.anomaly.kind is AnomalyKind.SERVICE
    assert opened.anomaly.subject.service == "checkout"
    assert {one.metric for one in opened.anomaly.metrics[:3]} == {"requests", "cpu", "memory"}
    assert sum(one.share for one in opened.anomaly.metrics) == pytest.approx(1.0, abs=0.05)
    assert max(one.excess for one in opened.anomaly.contributions) == 0.0
    assert (closed.kind, closed.anomaly.state) == (Happening.CLOSED, AnomalyState.CLOSED)
    assert closed.at < end + 3 * HOUR * 60_000


def test_no_single_series_shows_what_the_service_does() -> None:
    """Else a model of the whole would tell nothing that is not told already."""
    fleet = odd()
    scorer = ModelScorer(Settings())
    scorer.grow([info.kind for info in fleet.infos])
    begin, end = fleet.odd
    most = 0.0
    for batch in fleet.batches(0, end, size=DAY):
        found = scorer.score(batch)
        inside = (batch.at >= fleet.at(begin)) & found.is_usable
        most = max(most, float(found.surprise[inside].max(initial=0.0)))
    assert most < np.log10(len(fleet.series) / SETTINGS.alarms_a_week)


def test_it_is_told_in_a_sentence_with_the_metrics_to_blame() -> None:
    """Who is woken by it reads which metrics, and how much each of them is of it."""
    text = told_in_words(told()[0].anomaly)
    assert text.startswith("shop/checkout: its metrics together are unlike what is usual")
    assert "cpu" in text
    assert "%" in text
    assert "lasts" in text


def test_its_metrics_have_names_and_numbers_that_no_series_has() -> None:
    """Feedback on a service would change what a series needs to alarm."""
    anomaly = told()[0].anomaly
    infos = named(anomaly)
    assert all(series < 0 for series in infos)
    assert [infos[one.series].name for one in anomaly.contributions] == [
        one.metric for one in anomaly.metrics
    ]


def test_in_a_planned_window_nothing_opens() -> None:
    """A maintenance of the service is known."""
    fleet = odd()
    begin, end = (fleet.at(minute) for minute in fleet.odd)
    window = Window(name="w", start=begin - 1, end=end + 4 * HOUR * 60_000, service="checkout")
    assert happened(together(fleet, windows=[window]), fleet, LIVE, 15 * DAY) == []


def test_normal_closes_it_and_makes_the_next_one_rarer() -> None:
    """What a person called normal would wake them again."""
    fleet = odd()
    made = together(fleet)
    opened = happened(made, fleet, LIVE, fleet.odd[1])[0].anomaly
    told = Feedback(
        anomaly=opened.id,
        judged=Judged.NORMAL,
        at=fleet.at(fleet.odd[1]),
        series=tuple(one.series for one in opened.contributions),
        surprise=tuple(one.surprise for one in opened.contributions),
    )
    closed, tunings = made.said(told)
    assert [one.kind for one in closed] == [Happening.CLOSED]
    assert {one.series for one in tunings} == {one.series for one in opened.contributions}
    assert all(one.normal == 1 and one.shift >= 1.0 for one in tunings)
    assert happened(made, fleet, fleet.odd[1], 15 * DAY) == []


CUTS = st.lists(st.integers(0, 4 * HOUR * 16), max_size=6)


@cache
def whole() -> tuple[Together, tuple[Happened, ...]]:
    """Hours of the odd fleet at once."""
    made = together(odd())
    begin = odd().odd[0] - HOUR
    return made, made.take(odd().columns(begin, begin + 4 * HOUR))


@settings(parent=HEAVY)
@given(cuts=CUTS)
def test_what_is_told_does_not_depend_on_how_samples_are_cut(cuts: list[int]) -> None:
    """A replay after a crash comes in other batches, and would tell other anomalies."""
    made, fleet = together(odd()), odd()
    begin = fleet.odd[0] - HOUR
    columns = fleet.columns(begin, begin + 4 * HOUR)
    edges = sorted({0, *(min(cut, len(columns)) for cut in cuts), len(columns)})
    found = [
        one
        for start, stop in pairwise(edges)
        for one in made.take(columns.part(slice(start, stop)))
    ]
    once, of_once = whole()
    assert tuple(found) == of_once
    assert bits(made) == bits(once)


@settings(parent=HEAVY)
@given(at=st.integers(1, 4 * HOUR - 1))
def test_a_snapshot_then_resume_equals_no_pause(at: int) -> None:
    """With every restart a little of what is going on would be lost."""
    fleet = odd()
    begin = fleet.odd[0] - HOUR
    made = together(fleet)
    found = list(made.take(fleet.columns(begin, begin + at)))
    resumed = again(made, fleet)
    assert bits(resumed) == bits(made)
    found += resumed.take(fleet.columns(begin + at, begin + 4 * HOUR))
    once, of_once = whole()
    assert tuple(found) == of_once
    assert bits(resumed) == bits(once)


def test_a_new_version_judges_from_its_place_on() -> None:
    """Loaded without a restart, and a service is not two services by it."""
    fleet = quiet()
    made = together(fleet)
    happened(made, fleet, LIVE, LIVE + 3 * HOUR)
    made.use(fitted(2, seed=3))
    made.introduce(fleet.infos, ids(fleet), unit=0)
    assert [unit.fitted.version for unit in made.units] == [2]
    assert made.intake.size == len(made.units[0].members) == 12 - 2 - 0
    assert happened(made, fleet, LIVE + 3 * HOUR, LIVE + 9 * HOUR) == []
    assert made.watermark == fleet.at(LIVE + 9 * HOUR - 1)


def test_an_id_that_another_series_has_brings_no_samples_to_the_service() -> None:
    """The requests of whoever got the id of a pod that is gone would be the service's."""
    fleet = quiet()
    made = together(fleet)
    other = SeriesInfo(labels=(("__name__", "queue"),), kind=SeriesKind.GAUGE)
    before = made.intake.size
    made.introduce([other], [0])
    assert made.intake.size == before - 1
    assert made.intake.of(0) == []


def test_a_long_silence_is_passed_over_and_what_comes_after_it_is_judged() -> None:
    """A weekend without samples would take hours of rows, or make the first one after odd."""
    fleet = quiet()
    made = Rows()
    made.use(fitted())
    made.introduce(fleet.infos, ids(fleet))
    happened(made, fleet, LIVE, LIVE + 2 * HOUR)
    before = len(made.judged)
    assert happened(made, fleet, LIVE + 4 * DAY, LIVE + 4 * DAY + 2 * HOUR) == []
    after = made.judged[before:]
    assert len(after) <= 30
    assert after[-1].at > fleet.at(LIVE + 4 * DAY + 100)


def test_a_model_that_does_not_tell_its_series_is_refused() -> None:
    """One that was fitted by an older serinus: it says what to do."""
    made = Together("default", SETTINGS)
    with pytest.raises(ValueError, match="serinus fit"):
        made.use(replace(fitted(), columns=()))
    assert made.units == []


def test_services_beyond_the_most_are_left_out_and_counted() -> None:
    """Memory would grow with every service that anybody fits."""
    made = Together("default", SETTINGS, most=1)
    assert made.use(fitted()) is not None
    assert made.use(replace(fitted(), scope=replace(SCOPE, service="cart"))) is None
    assert (len(made.units), made.left_out) == (1, 1)


def test_nothing_opens_before_services_were_counted() -> None:
    """In the first hour nobody knows how many share the alarms."""
    state: StreamState = together(odd()).state
    assert state.tracks.level == np.inf


def test_samples_of_nobody_change_nothing() -> None:
    """A stream has many series that are of no modelled service."""
    made = together(quiet())
    before = made.intake.size
    other = Columns(
        series=np.array([900], np.int32), at=np.array([quiet().at(LIVE)]), value=np.ones(1)
    )
    assert made.take(other) == ()
    assert made.intake.size == before
