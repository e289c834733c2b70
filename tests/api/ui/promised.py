"""A site with objectives: one burns, one was overspent, others are fine, silent or not known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from api.burning import BurnWatch
from api.correlating import Correlating
from detector.errors import SourceError
from detector.series import Matcher, MatchOp, Query
from detector.slo.objective import Counted, Objective, OfSignal
from detector.slo.window import Rolling
from pipelines.flows.incidents import Incidents
from pipelines.slo.burning import Burns
from pipelines.stores.burns import SqlBurns
from pipelines.stores.memory_changes import MemoryChanges
from pipelines.stores.sqlite import Database
from pipelines.testing import FakeSource
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.api.ui.test_incident_pages import Base
from tests.detector.incidents.making import CALLS

__all__ = ["EVIL", "NOW", "burns_of", "promise", "promised", "site_of", "waiting"]

T0, HOUR, DAY = 300.0 * 6_000_000, 3600.0, 86_400.0

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e"
NOW = T0 + 60.0
_PLAIN = ("calm", "burning", "spent", "silent")
# Since when so large a share of its requests fails, and when its counters fell silent.
_TOLD = {
    "calm": (0.0, 0.0, NOW),
    "burning": (NOW - HOUR, 0.1, NOW),
    "spent": (NOW - 3 * DAY, 0.2, NOW),
    "silent": (0.0, 0.0, NOW - 2 * HOUR),
}


def indicator(job: str) -> Counted:
    """Requests of a job, and those that fail."""
    own = Matcher("job", MatchOp.EQUAL, job)
    bad = Matcher("code", MatchOp.EQUAL, "500")
    return Counted(
        total=Query("requests_total", (own,)),
        part=Query("requests_total", (own, bad)),
        part_is_good=False,
    )


def promise(service: str, name: str = "", **other: object) -> Objective:
    """That 99.9 % of its requests are good over a week."""
    made = Objective(
        name=name or service,
        service=service,
        target=0.999,
        window=Rolling(seconds=7 * DAY, text="7d"),
        indicator=indicator(service),
    )
    return replace(made, **other)  # type: ignore[arg-type]


def _counted(source: FakeSource, job: str) -> None:
    begin, share, until = _TOLD[job]
    times = np.arange(T0 - 8 * DAY, until, 150.0)
    hurt = (times > begin) & (times <= begin + 2 * HOUR) & (begin > 0)
    fails = np.where(hurt, share, 0.0001)
    for code, values in (("200", 1.0 - fails), ("500", fails)):
        labels = {"__name__": "requests_total", "job": job, "code": code}
        source.store.add(labels, times, np.cumsum(values) * 1500)


def _counters(one: Objective, *_: object) -> Counted:
    if one.service == "broken":
        raise SourceError("Prometheus at http://metrics:9090 does not answer within 10 s")
    return indicator(one.service)


def burns_of(objectives: tuple[Objective, ...], database: Database | None = None) -> Burns:
    """Looks by the clock of the scene."""
    source = FakeSource()
    for job in _PLAIN:
        _counted(source, job)
    store = None if database is None else (lambda: SqlBurns(database))
    return Burns(objectives, source, _counters, store, clock=lambda: NOW)


def site_of(burns: Burns, *, after: float = 0.0, **beside: object) -> Site:
    """Pages over objectives, so many seconds after the last look."""
    shop = Shop(minutes=2)
    shop.clock.at = NOW + after
    return Site(shop, beside={"burns": BurnWatch(burns), **beside})


def waiting() -> Site:
    """One whose objectives were not looked at yet."""
    return site_of(burns_of((promise("calm"),)))


@contextmanager
def promised(folder: Path) -> Iterator[Site]:
    """All of them, looked at; the alert of the one that burns is an incident."""
    database = Database(folder / "stream.db")
    slow = promise("calm", "fast", indicator=OfSignal(signal="latency", below=0.3))
    fails = promise("burning", indicator=OfSignal(signal="error_rate"))
    extra = (slow, fails, promise("nowhere", EVIL), promise("broken"))
    every = tuple(promise(job) for job in _PLAIN if job != "burning") + extra
    burns = burns_of(every, database)
    making = Incidents(database, changes=MemoryChanges(), calls=lambda _: CALLS, clock=lambda: NOW)
    making.look()
    burns.look()
    while making.look():
        pass
    shop = Shop(minutes=2)
    correlating = Correlating(Base((database,)), shop.stores, lambda: NOW)
    yield site_of(burns, correlating=correlating)
    database.close()
