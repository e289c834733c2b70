"""Days off and clocks of a place on their way through the stream, also over a restart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from api.stream_settings import StreamSection
from detector.stream.columns import Columns, SeriesKind
from detector.stream.record import AnomalyFilter, KeptAnomaly
from detector.stream.settings import StreamSettings
from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar, local_ms
from pipelines.flows.stream import Stream
from pipelines.flows.stream_operators import Operators
from pipelines.flows.stream_part import StreamPart
from pipelines.flows.worker_door import PartDoor
from pipelines.flows.worker_metrics import MetricsJudge
from pipelines.flows.worker_part import WorkerPart
from pipelines.ingest.interning import Interner
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format
from pipelines.ingest.tally import Tally
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database
from pipelines.stores.worker_parts import WorkerPartStore
from pipelines.zones import calendar_of
from tests.pipelines.flows.working import OWNERS, messages, operators_of

ZONE = "America/New_York"
PLACE, NOWHERE = {"zone": ZONE, "country": "US"}, {"zone": ZONE}
STEP, A_DAY, DAYS, SERIES = 600_000, 144, 42, 4
FIRST = int(datetime(2026, 10, 19, 4, tzinfo=UTC).timestamp()) * 1000
THANKSGIVING = (date(2026, 11, 26) - date(1970, 1, 1)).days
# Days of samples up to the evening before, and to the end of the week of it.
BEFORE, AFTER = 38, 42


@cache
def office() -> list[Columns]:
    """Requests of an office in New York, a batch a day for six weeks; closed on Thanksgiving."""
    at = FIRST + STEP * np.arange(DAYS * A_DAY, dtype=np.int64)
    local = local_ms(at, calendar_of(ZONE))
    hour, day = local // HOUR_MS % 24, local // DAY_MS
    is_busy = ((day + 3) % 7 < 5) & (hour >= 8) & (hour < 18) & (day != THANKSGIVING)
    noise = np.random.default_rng(1).normal(0.0, 2.0, (len(at), SERIES))
    value = 20.0 + 80.0 * is_busy[:, None] + noise
    ids = np.tile(np.arange(SERIES, dtype=np.int32), A_DAY)
    days = [slice(n * A_DAY, (n + 1) * A_DAY) for n in range(DAYS)]
    return [
        Columns(series=ids, at=np.repeat(at[one], SERIES), value=value[one].ravel()) for one in days
    ]


class Life:
    """A process on a folder that is told where people live."""

    def __init__(self, folder: Path, told: dict[str, str]) -> None:
        calendar = StreamSection.model_validate(told).calendar()
        self.database = Database(folder / "stream.db")
        self.part = StreamPart(
            self.database, "local", owners=OWNERS, settings=StreamSettings(calendar=calendar)
        )
        self.stream = Stream(self.part, Spool(folder / "spool"))

    def take(self, *days: int) -> None:
        """Judge the samples of some days, up to but not with the last."""
        names = self.stream.known("default")
        assert isinstance(names, Interner)
        for n in range(SERIES):
            labels = (("__name__", "queue"), ("pod", f"checkout-{n}"), ("service", "checkout"))
            names.id_of(labels, SeriesKind.GAUGE)
        assert all(self.stream.put("default", day, names) for day in office()[slice(*days)])
        assert self.stream.drain(60)

    @property
    def found(self) -> tuple[KeptAnomaly, ...]:
        """Its anomalies."""
        return SqlAnomalies(self.database).list(AnomalyFilter(tenant="default")).anomalies

    @property
    def days_off(self) -> list[int]:
        """What it judges by."""
        return [int(day) for day in self.part.operators.models().calendar.holidays]


def whole(folder: Path, told: dict[str, str]) -> Life:
    """A process that nobody disturbs."""
    life = Life(folder, told)
    life.take(0, AFTER)
    life.stream.close()
    return life


def state(operators: Operators) -> dict[str, bytes]:
    """All that is held but for the calendar that was told, to the bit."""
    arrays = operators.held()["default"].arrays
    return {n: one.tobytes() for n, one in arrays.items() if not n.startswith("calendar.")}


def test_thanksgiving_is_as_quiet_as_a_sunday_where_a_country_is_told(tmp_path: Path) -> None:
    """Every service would alarm on the morning of a day off that everybody knew of."""
    told, untold = whole(tmp_path / "us", PLACE), whole(tmp_path / "none", NOWHERE)
    assert told.found == ()
    [alarm] = untold.found
    assert (alarm.anomaly.start - 5 * HOUR_MS) // DAY_MS == THANKSGIVING
    assert alarm.anomaly.members == SERIES


@pytest.mark.parametrize(("was", "told"), [(PLACE, NOWHERE), (NOWHERE, PLACE)])
def test_what_was_judged_by_other_days_is_judged_again_by_those(
    tmp_path: Path, was: dict[str, str], told: dict[str, str]
) -> None:
    """A release of the package would open an alarm of last night anew, or leave one without end."""
    expected = whole(tmp_path / "whole", was)
    first = Life(tmp_path / "killed", was)
    first.take(0, BEFORE)
    first.stream.close()
    # It is never closed: all that it leaves is the spool, as after kill -9.
    Life(tmp_path / "killed", was).take(BEFORE, AFTER)
    again = Life(tmp_path / "killed", told)
    again.stream.close()
    assert again.found == expected.found
    assert state(again.part.operators) == state(expected.part.operators)


def test_other_days_count_from_the_start_on_and_outlive_the_next_death(tmp_path: Path) -> None:
    """Holidays that were put right would be wrong until somebody deletes the state."""
    first = Life(tmp_path, NOWHERE)
    first.take(0, BEFORE)
    first.stream.close()
    second = Life(tmp_path, PLACE)
    assert THANKSGIVING in second.days_off
    second.take(BEFORE, AFTER)
    third = Life(tmp_path, NOWHERE)
    third.stream.close()
    assert third.found == ()
    assert third.days_off == []


WEST = Calendar(starts=np.array([0]), offsets=np.array([-7 * HOUR_MS]))


def worker_part(database: Database, calendar: Calendar) -> WorkerPart:
    """A partition of a worker that is told a calendar."""
    settings = StreamSettings(calendar=calendar)
    store = WorkerPartStore(database, "metrics/0", "w1", clock=lambda: 1.0)
    door = PartDoor(Format.COLUMNAR, Limits(), Tally())
    part = WorkerPart(store, MetricsJudge(Operators(owners=OWNERS, settings=settings), door))
    part.take(lambda: 0)
    return part


def judged(part: WorkerPart, upto: int) -> dict[str, bytes]:
    """The state once all messages before an offset are judged."""
    for message in messages()[part.position + 1 : upto]:
        part.apply(message)
    return state(operators_of(part))


def test_a_worker_goes_over_to_another_calendar_at_a_checkpoint(tmp_path: Path) -> None:
    """Of two workers with other releases one would tell other anomalies of the same messages."""
    here = judged(worker_part(Database(tmp_path / "here.db"), Calendar()), 200)
    west = judged(worker_part(Database(tmp_path / "west.db"), WEST), 200)
    database = Database(tmp_path / "moved.db")
    first = worker_part(database, Calendar())
    judged(first, 50)
    first.checkpoint()
    moved = worker_part(database, WEST)
    assert judged(moved, 200) == here != west
    moved.checkpoint()
    assert operators_of(moved).models().calendar is WEST
    assert not operators_of(worker_part(database, WEST)).is_to_renew


def test_a_state_of_before_calendars_were_kept_goes_by_what_is_told(tmp_path: Path) -> None:
    """An upgrade would stop with an error, or forget the zone."""
    operators = Operators(owners=OWNERS, settings=StreamSettings(calendar=WEST))
    part = worker_part(Database(tmp_path / "stream.db"), Calendar())
    judged(part, 3)
    [(tenant, held)] = operators_of(part).held().items()
    arrays = {n: one for n, one in held.arrays.items() if not n.startswith("calendar.")}
    operators.restore({tenant: type(held)(arrays=arrays, series=held.series)})
    assert operators.models().calendar is WEST
