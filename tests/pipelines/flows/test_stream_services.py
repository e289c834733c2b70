"""From samples in a source to a model, from the model to an anomaly in the store of the stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from detector.errors import StoreError
from detector.fitted.model import FittedModel
from detector.fitted.ports import FittedStore
from detector.gate.request import VerdictRequest
from detector.signals.packs import shipped_packs
from detector.stream.anomaly import AnomalyKind, Judged
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import Feedback
from detector.stream.record import AnomalyFilter, KeptAnomaly, KeptFeedback
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.fit import Fitting, Order, fit_service
from pipelines.flows.stream import Stream
from pipelines.flows.stream_models import ModelWatch
from pipelines.flows.stream_part import StreamPart
from pipelines.flows.stream_services import PART
from pipelines.ingest.interning import Interner
from pipelines.sources.memory import MemorySource
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.memory_fitted import MemoryFitted
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database
from tests.detector.fitted.fleet import DAY, T0, Fleet
from tests.pipelines.flows.pasts import past_of

pytestmark = pytest.mark.slow

OWNERS = Owners(shipped_packs())
LIVE, END = 14 * DAY, 15 * DAY
ALARMS = 1.0
# The names by which packs know them.
NAMES = {
    "cpu_seconds_total": "container_cpu_usage_seconds_total",
    "memory_bytes": "container_memory_working_set_bytes",
}


@cache
def fleet() -> Fleet:
    """Two weeks of the past, and a day of which two hours are odd."""
    begin = LIVE + 8 * 60
    return Fleet(minutes=END, odd=(begin, begin + 120))


@cache
def infos() -> tuple[SeriesInfo, ...]:
    """Its series as an exporter of Kubernetes names them."""
    return tuple(_spelled(info) for info in fleet().infos)


def _spelled(info: SeriesInfo) -> SeriesInfo:
    labels = dict(info.labels)
    labels["__name__"] = NAMES.get(info.name, info.name)
    if info.name in NAMES:
        labels["container"] = "app"
    return replace(info, labels=tuple(sorted(labels.items())))


@cache
def model() -> FittedModel:
    """What the batch pipeline learns of the past, as `serinus fit` does."""
    source = MemorySource(retention_s=1e9)
    for info, (_, values) in zip(infos(), fleet().series, strict=True):
        times = T0 + 7.0 + 60.0 * np.arange(LIVE)
        source.add(dict(info.labels), times, values[:LIVE])
    past = replace(past_of(source), source=source)
    asked = VerdictRequest(service="checkout", namespace="shop", canary="")
    made = fit_service(Order(request=asked, current=None), past, Fitting(), now=T0 + 60.0 * LIVE)
    return replace(made, version=1)


def opened(folder: Path) -> tuple[Stream, Database]:
    """A stream on a folder, as a process would open it."""
    database = Database(folder / "stream.db")
    settings = StreamSettings(alarms_a_week=ALARMS)
    part = StreamPart(database, "local", owners=OWNERS, settings=settings)
    return Stream(part, Spool(folder / "spool")), database


def push(stream: Stream, begin: int, end: int) -> None:
    """Some minutes through the front of the stream."""
    names = stream.known("default")
    assert isinstance(names, Interner)
    for info in infos():
        names.id_of(info.labels, info.kind)
    for batch in fleet().batches(begin, end):
        assert stream.put("default", batch, names)
    assert stream.drain(120)


def of_services(database: Database) -> list[KeptAnomaly]:
    """The anomalies of whole services."""
    found = SqlAnomalies(database).list(AnomalyFilter(tenant="default", limit=500)).anomalies
    return [one for one in found if one.anomaly.kind is AnomalyKind.SERVICE]


@contextmanager
def held(store: FittedStore | None) -> Iterator[FittedStore | None]:
    """A store that is open."""
    yield store


def test_what_no_single_series_shows_is_found_by_the_model_of_the_service(tmp_path: Path) -> None:
    """The point of `serinus fit`: from two weeks in a source to a word while it lasts."""
    stream, database = opened(tmp_path)
    stream.use(model())
    push(stream, LIVE, END)
    [found] = of_services(database)
    begin, end = (fleet().at(minute) for minute in fleet().odd)
    assert begin < found.anomaly.start < end
    assert found.anomaly.subject.service == "checkout"
    first = found.anomaly.contributions[0]
    assert found.series[first.series].name == found.anomaly.metrics[0].metric
    stream.close()
    database.close()


def test_a_restart_in_its_midst_tells_the_same(tmp_path: Path) -> None:
    """Killed before a checkpoint, after one, and not at all: the same anomaly, once."""
    alone, of_alone = opened(tmp_path / "alone")
    alone.use(model())
    push(alone, LIVE, END)
    [undisturbed] = of_services(of_alone)
    alone.close()
    of_alone.close()
    middle = fleet().odd[0] + 60
    stream, _ = opened(tmp_path / "other")
    stream.use(model())
    push(stream, LIVE, middle)
    # As kill -9 would have it: what is spooled is there, a checkpoint is not.
    second, again = opened(tmp_path / "other")
    assert second.models() == {model().scope: 1}
    push(second, middle, middle + 30)
    second.close()
    third, _ = opened(tmp_path / "other")
    assert third.models() == {model().scope: 1}
    push(third, middle + 30, END)
    [found] = of_services(again)
    assert found == undisturbed
    third.close()


def test_feedback_reaches_the_service_and_is_seen(tmp_path: Path) -> None:
    """What a person says of a service is kept with it, and no series hears of it."""
    stream, database = opened(tmp_path)
    stream.use(model())
    push(stream, LIVE, fleet().odd[1])
    [found] = of_services(database)
    told = Feedback(
        anomaly=found.anomaly.id,
        judged=Judged.NORMAL,
        at=fleet().at(fleet().odd[1]),
        series=tuple(one.series for one in found.anomaly.contributions),
        surprise=tuple(one.surprise for one in found.anomaly.contributions),
        named=tuple(found.series[one.series] for one in found.anomaly.contributions),
    )
    tunings = stream.say("default", told).result(30)
    noted = KeptFeedback(at=told.at, judged=told.judged, person="ada", note="")
    SqlAnomalies(database).say(found.anomaly.id, noted)
    assert {one.normal for one in tunings} == {1}
    [after] = of_services(database)
    assert after.anomaly.ending is not None
    assert after.tunings.keys() == {one.series for one in after.anomaly.contributions}
    assert not stream.part.operators._states["default"].tracks["normal"].any()
    stream.close()
    database.close()


def test_a_version_that_is_promoted_is_used_without_a_restart(tmp_path: Path) -> None:
    """`serinus fit` runs as a cron job, in another process; the stream looks now and then."""
    stream, database = opened(tmp_path)
    store = MemoryFitted()
    watch = ModelWatch(lambda: held(store), stream.use, stream.models(), every_s=3600)
    assert watch.look() == 0
    store.save(replace(model(), version=0))
    assert watch.look() == 1
    assert watch.look() == 0
    store.save(replace(model(), version=0))
    assert watch.look() == 1
    assert stream.drain(30)
    assert stream.models() == {model().scope: 2}
    watch.close()
    stream.close()
    database.close()


def test_a_store_of_models_that_is_away_is_asked_again(tmp_path: Path) -> None:
    """Models come late, and nothing else waits for them."""

    def away() -> AbstractContextManager[FittedStore | None]:
        raise StoreError("the database is away")

    stream, database = opened(tmp_path)
    watch = ModelWatch(away, stream.use, {}, every_s=3600)
    with pytest.raises(StoreError, match="away"):
        watch.look()
    push(stream, LIVE, LIVE + 5)
    watch.close()
    stream.close()
    database.close()


def test_services_and_series_share_the_false_alarms_that_are_accepted(tmp_path: Path) -> None:
    """One a week is one a week, with models and without."""
    stream, database = opened(tmp_path)
    push(stream, LIVE, LIVE + 5)
    operators = stream.part.operators
    assert operators._states["default"].settings.alarms_a_week == ALARMS
    stream.use(model())
    assert stream.drain(30)
    stream.close()
    again, other = opened(tmp_path)
    operators = again.part.operators
    series = operators._states["default"].settings.alarms_a_week
    services = operators.services._of["default"].state.settings.alarms_a_week
    assert (series, services) == (ALARMS * (1 - PART), ALARMS * PART)
    again.close()
    database.close()
    other.close()


def test_a_model_that_is_not_whole_is_passed_over(tmp_path: Path) -> None:
    """A damaged model would stop the stream at each start."""
    stream, database = opened(tmp_path)
    stream.use(replace(model(), artefacts=()))
    stream.use(replace(model(), columns=()))
    push(stream, LIVE, LIVE + 5)
    assert stream.models() == {}
    stream.close()
    database.close()
