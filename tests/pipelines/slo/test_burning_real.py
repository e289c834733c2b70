"""Burns on a real Prometheus: what leaks is told, and that it is over, over restarts of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.slo.burn import Burning
from detector.slo.window import Rolling
from detector.stream.anomaly import Severity
from pipelines.slo.burning import Burns
from pipelines.sources.open import open_source
from pipelines.sources.settings import SourceSettings
from pipelines.stores.burns import SqlBurns
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.sqlite import Database
from tests.pipelines.slo.test_burning import indicator, objective
from tests.servers import make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
STEP, DAY = 60, 86_400
# A leak of an hour and a half, then an outage of half an hour in it, in the sixth day.
T0 = 300 * 5_900_000
LEAK, OUTAGE, OVER = T0 + 5 * DAY, T0 + 5 * DAY + 5400, T0 + 5 * DAY + 7200
END = OVER + 9 * 3600


def history() -> str:
    """Twenty requests a second; a pod begins anew in the middle of the outage."""
    lines = ["# TYPE requests counter"]
    ok, bad, rows = 0.0, 0.0, []
    for at in range(T0, END, STEP):
        share = 0.5 if OUTAGE < at <= OVER else 0.03 if LEAK < at <= OVER else 0.0002
        if at == OUTAGE + 960:
            ok, bad = 0.0, 0.0
        ok, bad = ok + 1200 * (1 - share), bad + 1200 * share
        rows.append((at, ok, bad))
    for code, column in (("200", 1), ("500", 2)):
        own = f'requests_total{{job="checkout",code="{code}"}}'
        lines += [f"{own} {row[column]:.3f} {row[0]}" for row in rows]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Six days of it."""
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(history(), folder / "data")
    with running_prometheus("prometheus3", folder) as server:
        yield server.url


def test_a_leak_becomes_an_outage_and_is_over(source: str, tmp_path: Path) -> None:
    """One alert, since it leaks, looked at every five minutes by a new process each time."""
    database = Database(tmp_path / "stream.db")
    clock = [0.0]
    opened = open_source(SourceSettings(kind="prometheus", url=source), ())
    promised = objective(window=Rolling(seconds=5.0 * DAY, text="5d"))
    told: list[tuple[int, Severity, bool]] = []

    def process() -> Burns:
        return Burns(
            [promised],
            opened,
            lambda one, *_: indicator(one.service),
            lambda: SqlBurns(database),
            clock=lambda: clock[0],
        )

    burns = process()
    for at in range(LEAK - 1800, OVER + 8 * 3600, 300):
        clock[0] = at + 25.0
        burns = process()
        burns.look()
        received = SqlIncidents(database).received(100)
        fresh = [one.symptom for one in received[len(told) :]]
        told += [(at, one.severity, one.end is None) for one in fresh]
    symptoms = [one.symptom for one in SqlIncidents(database).received(100)]
    database.close()
    assert len({one.id for one in symptoms}) == 1
    assert [(severity, lasts) for _, severity, lasts in told] == [
        (Severity.HIGH, True),
        (Severity.HIGH, False),
    ]
    begun, over = (at for at, *_ in told)
    assert LEAK < begun <= LEAK + 5400
    assert OVER <= over <= OVER + 7 * 3600
    assert abs(symptoms[0].start / 1000 - LEAK) <= 300
    assert burns.seen[0].standing.burning is Burning.QUIET
    assert burns.seen[0].standing.budget.left == pytest.approx(
        1 - (0.0002 * 20 * 5 * DAY + 0.5 * 20 * 1800 + 0.03 * 20 * 5400) / (0.001 * 20 * 5 * DAY),
        abs=0.01,
    )
