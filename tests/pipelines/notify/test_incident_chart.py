"""The picture in a message shows the metric that broke; without one the message goes, too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from detector.alerts.brief import Sign
from detector.errors import StoreError
from detector.gate.telling import DeliveryState, Notice, Post
from detector.series import Series
from detector.stream.anomaly import Anomaly, AnomalyKind
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.ports import AnomalyStore
from pipelines.notify.chart import SIZE
from pipelines.notify.dispatch import Dispatcher
from pipelines.notify.incident_chart import IncidentCharts, curve_of
from pipelines.notify.open import open_notifier
from pipelines.sources.memory import MemorySource
from pipelines.stores.anomalies import SqlAnomalies, add_anomaly
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.happening import MINUTE, T0, anomaly
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.mail_server import mailing
from tests.pipelines.notify.receiver import notice
from tests.pipelines.notify.test_email import settings

LABELS = {"__name__": "errors", "pod": "cart-1", "service": "cart"}
# Odd from the hundredth minute on.
ONSET = 100


def series(kind: SeriesKind = SeriesKind.GAUGE, **labels: str) -> SeriesInfo:
    """As the stream knows it."""
    told_labels = tuple(sorted({**LABELS, **labels}.items()))
    return SeriesInfo(labels=told_labels, kind=kind)


@dataclass(slots=True)
class Shop:
    """Anomalies of a stream, and the source that has their metrics."""

    database: Database
    source: MemorySource = field(default_factory=MemorySource)

    def sees(self, minutes: int = 120, labels: Mapping[str, str] = LABELS) -> None:
        """A sample each minute."""
        times = T0 / 1000 + 60.0 * np.arange(minutes)
        values = np.where(np.arange(minutes) < ONSET, 1.0, 9.0)
        self.source.add(labels, times, values)

    def finds(self, info: SeriesInfo | None = None, **changes: object) -> str:
        """Something odd; its id."""
        found = replace(anomaly("cart", ONSET), **changes)  # type: ignore[arg-type]
        with self.database.write() as transaction:
            add_anomaly(transaction, "local", found.start, found, {7: info or series()})
        return found.id

    def charts(self, source: MemorySource | FakeSource | None = None) -> IncidentCharts:
        """Of a process."""
        return IncidentCharts(
            anomalies=lambda: SqlAnomalies(self.database), source=source or self.source
        )


def of(*ids: str, tenant: str = "default", minute: float = 115) -> Notice:
    """An incident with these signs, told at a minute."""
    signs = tuple(Sign(anomaly=id, service="cart", text="up", since=T0) for id in ids)
    at = T0 + round(MINUTE * minute)
    return told(signs=signs, told_at=at, began=T0 + ONSET * MINUTE, tenant=tenant)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Nothing happened yet."""
    database = Database(tmp_path / "stream.db")
    yield Shop(database)
    database.close()


def test_the_metric_that_broke_is_drawn(shop: Shop) -> None:
    """A picture of the size that a phone shows whole."""
    shop.sees()
    picture = shop.charts()(of(shop.finds()))
    with Image.open(BytesIO(picture)) as image:
        assert (image.format, image.size) == ("PNG", SIZE)


def test_the_first_sign_with_a_metric_is_taken(shop: Shop) -> None:
    """Signs of another alerting, of lines or of a model have no series to draw."""
    shop.sees()
    lines = shop.finds(id="an_lines", kind=AnomalyKind.LOG_NOVELTY)
    charts = shop.charts()
    alone = charts(of(shop.finds()))
    assert charts(of("alert:1", lines)) == b""
    assert charts(of("alert:1", lines, shop.finds())) == alone != b""


def test_labels_that_were_added_on_the_way_do_not_hide_it(shop: Shop) -> None:
    """Who forwards samples writes its cluster on them, which the source itself does not know."""
    shop.sees()
    pushed = shop.finds(series(cluster="eu", prometheus="a"))
    assert shop.charts()(of(pushed)) == shop.charts()(of(shop.finds(id="an_own"))) != b""


def test_of_several_series_none_is_shown(shop: Shop) -> None:
    """The wrong pod's line would mislead who is woken."""
    for pod in ("cart-1", "cart-2"):
        shop.sees(labels={"__name__": "errors", "service": "cart", "pod": pod, "cluster": "eu"})
    for cluster in ("eu", "us"):
        shop.sees(labels={**LABELS, "cluster": cluster, "zone": "1"})
    assert shop.charts()(of(shop.finds())) == b""


def test_what_another_tenant_pushed_is_not_what_the_source_has(shop: Shop) -> None:
    """It may be called the same."""
    shop.sees()
    id = shop.finds(tenant="other")
    assert shop.charts()(of(id, tenant="other")) == b""
    others = replace(shop.charts(), tenants=frozenset({"other"}))
    assert others(of(id, tenant="other"))


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SLOW, Fault.REJECTED])
def test_a_source_that_does_not_answer_costs_the_picture_alone(shop: Shop, fault: Fault) -> None:
    """The message goes without it."""
    shop.sees()
    id = shop.finds()
    assert shop.charts(FakeSource(shop.source, fault=fault))(of(id)) == b""


def test_before_the_stream_is_open_there_is_none(shop: Shop) -> None:
    """Nor for a notice of another kind."""

    def opening() -> AnomalyStore:
        raise StoreError("the stream is not open yet")

    closed = replace(shop.charts(), anomalies=opening)
    assert closed(of("an_1")) == b""
    assert shop.charts()(notice()) == b""


def test_an_incident_by_mail_has_its_picture(shop: Shop) -> None:
    """Through the outbox, as a process tells it."""
    shop.sees()
    outbox, clock, incident = memory_stores().outbox, Clock(), of(shop.finds())
    clock.at = incident.at
    with mailing() as box:
        to = settings(f"smtp://{box.host}:{box.port}")
        notifier = open_notifier(to, clock, shop.charts())
        outbox.put([Post(notice=incident, to=("ops",))])
        Dispatcher(name="ops", notifier=notifier, outbox=outbox, clock=clock).turn()
        assert outbox.tally() == {("ops", DeliveryState.SENT): 1}
        (attached,) = box.got[0].message.iter_attachments()
    assert attached.get_content() == shop.charts()(incident)


# -- the line


def line(values: list[float], step_s: float = 60.0) -> Series:
    """Samples from ten minutes before the onset on."""
    times = T0 / 1000 + 60.0 * (ONSET - 10) + step_s * np.arange(len(values), dtype=np.float64)
    return Series(labels=LABELS, times=times, values=np.array(values, dtype=float))


def odd(until: float | None = None) -> Anomaly:
    """From the onset on."""
    return anomaly("cart", ONSET, until=until)


END = T0 + 1000 * MINUTE


def test_the_expected_range_is_drawn_while_it_is_odd() -> None:
    """At other hours another one was expected."""
    curve = curve_of(odd(until=ONSET + 5), series(), line([1.0] * 20), until=END)
    assert curve is not None
    assert (curve.title, curve.unit, curve.onset) == ("cart: errors", "", T0 + ONSET * MINUTE)
    known = [n for n, low in enumerate(curve.low) if low == 7.0]
    assert known == [10, 11, 12, 13, 14, 15]
    assert [high for high in curve.high if math.isfinite(high)] == [13.0] * 6


def test_a_counter_is_drawn_as_its_rate() -> None:
    """A pod that began anew counts from zero."""
    curve = curve_of(odd(), series(SeriesKind.CUMULATIVE), line([0, 60, 180, 30]), until=END)
    assert curve is not None
    assert (list(curve.values), curve.unit) == ([1.0, 2.0, 0.5], "/s")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], SeriesKind.GAUGE),
        ([float("nan")], SeriesKind.GAUGE),
        ([1.0], SeriesKind.CUMULATIVE),
        ([1.0, 2.0], SeriesKind.DELTA),
    ],
)
def test_what_has_no_line_is_not_drawn(values: list[float], kind: SeriesKind) -> None:
    """An empty picture frightens."""
    assert curve_of(odd(), series(kind), line(values), until=END) is None


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=30),
    st.sampled_from([SeriesKind.GAUGE, SeriesKind.CUMULATIVE]),
)
def test_whatever_a_source_has_is_a_curve_or_none(values: list[float], kind: SeriesKind) -> None:
    """As many values as times, and a range where it is odd alone."""
    curve = curve_of(odd(), series(kind), line(values), until=END)
    if curve is not None:
        assert len(curve.times) == len(curve.values) == len(curve.low)
        assert all(math.isfinite(low) == (at >= T0 + ONSET * MINUTE)
                   for at, low in zip(curve.times, curve.low, strict=True))  # fmt: skip
