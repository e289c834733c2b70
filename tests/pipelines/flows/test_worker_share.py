"""A worker's partitions: judged once, whoever reads them and however often that is cut off."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import StoreError
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_share import Share, ShareSettings, WhenGone
from pipelines.stores.connections import Connections
from pipelines.stores.sqlite import Database
from pipelines.stores.worker_parts import progress_of
from pipelines.topics.port import Begin, Partition
from tests.pipelines.flows.working import (
    TOPIC,
    Log,
    body_of,
    gauges,
    kept,
    messages,
    operators_of,
    part_of,
    share_on,
    told,
)
from tests.pipelines.stores.away import AwayDatabase
from tests.profiles import HEAVY

P0, P1 = Partition(TOPIC, 0), Partition(TOPIC, 1)
POISON = (50, 150)
BREAKING = 666.0
AT_ONCE = 32


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(tmp_path / "stream.db")
    yield opened
    opened.close()


@cache
def log() -> dict[Partition, list[Any]]:
    """Two partitions; in each something happens, and two messages are none."""
    return {
        P0: messages(number=0, poison=POISON),
        P1: messages(number=1, poison=POISON),
    }


def read(share: Share, offsets: dict[Partition, int], upto: int) -> None:
    """Judge all from the offsets on, before another one."""
    for partition, offset in offsets.items():
        for message in log()[partition][offset:upto]:
            share.apply(message)


@cache
def undisturbed() -> dict[str, Any]:
    """What one worker keeps that reads everything, and writes once."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "stream.db")
        share = share_on(database, Log(log()))
        read(share, share.assigned([P0, P1]), 1000)
        share.checkpoint()
        found = kept(database)
        database.close()
    return found


def test_a_worker_finds_what_happened_and_keeps_state_and_offset_together() -> None:
    """Nothing would be found, or the next worker would begin anywhere."""
    found = undisturbed()

    assert len(found["anomalies"]) == 2
    assert {found["metrics/0"][0], found["metrics/1"][0]} == {259}
    assert len(found["stream_events"]) >= 4


class Disturbed:
    """Some workers on two partitions, with all that can come between them."""

    def __init__(self, database: Connections) -> None:
        self.database, self.log = database, Log(log())
        self.names = itertools.count()
        self.owners: dict[Partition, Share] = {}
        self.next: dict[Partition, int] = {}
        self.zombies: list[Share] = []
        for partition in (P0, P1):
            self.give(partition, self.worker())

    def worker(self) -> Share:
        """A new one."""
        return share_on(self.database, self.log, f"w{next(self.names)}")

    def give(self, partition: Partition, to: Share) -> None:
        """A partition goes to a worker."""
        self.owners[partition] = to
        self.next |= to.assigned([partition])

    def read(self, partition: Partition, count: int) -> None:
        """Judge the next messages, some of them together."""
        start = self.next[partition]
        every = log()[partition][start : start + count]
        for at in range(0, len(every), AT_ONCE):
            self.owners[partition].apply_all(every[at : at + AT_ONCE])
        self.next[partition] = min(start + count, len(log()[partition]))

    def act(self, what: str, partition: Partition, count: int) -> None:
        """One thing that happens."""
        if what == "read":
            self.read(partition, count)
        else:
            getattr(self, what)(partition, self.owners[partition])

    def tell(self, _: Partition, owner: Share) -> None:
        """Events are kept before their checkpoint."""
        owner.tell()

    def checkpoint(self, _: Partition, owner: Share) -> None:
        """All is kept."""
        owner.checkpoint()

    def move(self, partition: Partition, owner: Share) -> None:
        """An orderly change to a new worker."""
        owner.revoked([partition])
        self.give(partition, self.worker())

    def join(self, partition: Partition, owner: Share) -> None:
        """An orderly change to the worker that has the other partition."""
        other = next(who for one, who in self.owners.items() if one != partition)
        if other is not owner:
            owner.revoked([partition])
            self.give(partition, other)

    def die(self, _: Partition, owner: Share) -> None:
        """All that it had goes to others."""
        for lost in [one for one, who in self.owners.items() if who is owner]:
            self.give(lost, self.worker())

    def lose(self, partition: Partition, owner: Share) -> None:
        """Another has it, and the owner was not told."""
        self.give(partition, self.worker())
        self.zombies.append(owner)

    def haunt(self, _: Partition, __: Share) -> None:
        """Those write who were not told."""
        for zombie in self.zombies:
            zombie.tell()
            zombie.checkpoint()
            zombie.waiting.clear()

    def finish(self) -> None:
        """Read all that is left, and keep it."""
        for partition in (P0, P1):
            self.read(partition, 1000)
        for owner in self.owners.values():
            owner.checkpoint()


ACTS = ("read", "read", "read", "tell", "checkpoint", "move", "die", "join", "lose", "haunt")


@HEAVY
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(ACTS), st.sampled_from([P0, P1]), st.integers(1, 120)),
        max_size=15,
    )
)
def test_whatever_comes_between_state_and_events_are_those_of_an_undisturbed_run(
    acts: list[tuple[str, Partition, int]],
) -> None:
    """A death, a rebalance or a zombie would lose samples, or count some twice."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "stream.db")
        world = Disturbed(database)
        for act in acts:
            world.act(*act)
        world.finish()
        found = kept(database)
        database.close()

    assert found == undisturbed()


def test_who_lost_a_partition_writes_nothing_over_its_new_owner(database: Database) -> None:
    """A worker that hung would put the state of an hour ago in place of the new one."""
    old, new = (share_on(database, Log(log()), name) for name in ("old", "new"))
    read(old, old.assigned([P0]), 230)
    read(new, new.assigned([P0]), 120)
    new.checkpoint()
    before = kept(database)

    old.tell()
    old.checkpoint()

    assert kept(database) == before
    assert (old.meters.conflicts, old.waiting, old.parts) == (1, {P0}, {})


def test_who_is_still_the_owner_takes_anew_what_a_late_one_took(database: Database) -> None:
    """A stale take would leave a partition that nobody reads."""
    owner = share_on(database, Log(log()), "owner")
    read(owner, owner.assigned([P0]), 100)
    owner.checkpoint()
    share_on(database, Log(log()), "late").assigned([P0])
    read(owner, {P0: 100}, 230)
    owner.checkpoint()

    read(owner, owner.taken(), 1000)
    owner.checkpoint()

    assert kept(database)["anomalies"] == [
        row for row in undisturbed()["anomalies"] if "checkout0" in row
    ]


def test_what_cannot_be_read_is_put_aside_with_its_reason_and_the_rest_goes_on(
    database: Database,
) -> None:
    """One broken message would stop a partition for ever."""
    world = Log(log())
    share = share_on(database, world)

    read(share, share.assigned([P0]), 1000)
    share.checkpoint()

    assert [letter.message.offset for letter in world.letters] == list(POISON)
    assert all("no columnar message" in letter.reason for letter in world.letters)
    assert share.kept() == {P0: 260}


def test_a_letter_that_is_not_taken_holds_its_offset_and_no_other_one(database: Database) -> None:
    """A message would be gone that was neither judged nor put aside."""
    world = Log(log(), is_down=True)
    share = share_on(database, world)
    offsets = share.assigned([P0, P1])
    read(share, {P0: offsets[P0]}, 60)
    read(share, {P1: offsets[P1]}, 40)

    share.checkpoint()
    held = share.kept()
    world.is_down = False
    share.checkpoint()

    assert held == {P1: 40}
    assert share.kept() == {P0: 60, P1: 40}
    assert [letter.message.offset for letter in world.letters] == [50]
    assert share.meters.is_ready


def test_a_partition_with_too_many_letters_is_not_read_on(database: Database) -> None:
    """A topic of the wrong format would fill the memory while its letters cannot be taken."""
    share = share_on(database, Log(log(), is_down=True))
    share.assigned([P0])

    for offset in range(1000):
        share.apply(told(offset, b"\xc1"))

    assert share.held() == {P0}


class Breaking(Operators):
    """Operators that one value breaks, each time."""

    def samples(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """As ours, but for that value."""
        if (columns.value == BREAKING).any():
            raise ZeroDivisionError("no model of ours takes this")
        return super().samples(tenant, columns)


def test_a_message_that_breaks_the_judging_is_put_aside_and_nothing_else_is_lost(
    database: Database,
) -> None:
    """One sample that a model cannot take would stop a partition for ever."""
    world = Log(log())
    share = share_on(database, world, operators=Breaking)
    read(share, share.assigned([P0]), 100)
    share.checkpoint()
    read(share, {P0: 100}, 120)

    share.apply(told(120, body_of(gauges(1), [BREAKING])))
    after = share.taken()
    read(share, after, 120)
    share.apply(told(120, body_of(gauges(1), [BREAKING])))
    share.apply(log()[P0][121])
    share.checkpoint()

    assert after == {P0: 100}
    assert [letter.message.offset for letter in world.letters] == [50, 120]
    assert "no model of ours takes this" in world.letters[1].reason
    assert share.kept() == {P0: 122}


def test_where_every_message_breaks_the_judging_the_partition_stops_and_none_is_put_aside(
    database: Database,
) -> None:
    """An error of ours would empty a topic into the dead letters."""
    world = Log(log())
    share = share_on(database, world, operators=Breaking)
    read(share, share.assigned([P0]), 20)
    share.checkpoint()
    bodies = [told(offset, body_of(gauges(1), [BREAKING])) for offset in range(20, 30)]

    for _ in range(5):
        share.taken()
        for message in bodies:
            share.apply(message)
    share.checkpoint()

    [progress] = progress_of(database)
    assert share.held() == {P0}
    assert "3 messages in a row" in progress.words
    assert (progress.position, world.letters) == (19, [])


@pytest.mark.parametrize(("begin", "offset"), [(Begin.EARLIEST, 0), (Begin.LATEST, 260)])
def test_a_partition_that_was_never_read_begins_where_it_is_told_to(
    database: Database, begin: Begin, offset: int
) -> None:
    """Read from the end again after a death, what came in between would be lost."""
    share = share_on(database, Log(log()), settings=ShareSettings(begin=begin))

    first = share.assigned([P0])
    again = share_on(database, Log({P0: []})).assigned([P0])

    assert first == again == {P0: offset}


def test_messages_that_the_log_has_deleted_are_counted_and_the_rest_is_read(
    database: Database,
) -> None:
    """A worker that was away for longer than the topic keeps would stand still, or say nothing."""
    share = share_on(database, Log(log(), start=70))
    share.parts.clear()
    share.assigned([P0])

    found = share.gone({P0: 40})

    assert found == {P0: 70}
    assert share.meters.gone == 30
    assert not share.held()


@pytest.mark.parametrize(
    ("when", "offset"), [(WhenGone.EARLIEST, 0), (WhenGone.LATEST, 260), (WhenGone.STOP, None)]
)
def test_a_log_that_is_another_than_the_one_that_was_read_is_not_taken_for_it(
    database: Database, when: WhenGone, offset: int | None
) -> None:
    """A topic made anew would be read from a place that means nothing, or never."""
    share = share_on(database, Log(log()), settings=ShareSettings(when_gone=when))
    share.assigned([P0])

    found = share.gone({P0: 900})

    assert found == ({} if offset is None else {P0: offset})
    assert share.held() == ({P0} if offset is None else set())
    if offset is None:
        assert "worker.when_gone" in progress_of(database)[0].words


def test_a_database_that_is_away_is_told_and_the_partition_is_taken_later(
    database: Database,
) -> None:
    """A worker that starts before its database would read nothing, or everything anew."""
    away = AwayDatabase(database)
    away.is_away = True
    share = share_on(away, Log(log()))

    first = share.assigned([P0])
    words = share.meters.words
    away.is_away = False

    assert (first, share.waiting) == ({}, {P0})
    assert "waits for its database" in words
    assert share.taken() == {P0: 0}
    assert share.meters.is_ready


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_checkpoint_that_fails_or_only_seems_to_is_written_again_as_it_was(
    database: Database, fails: str
) -> None:
    """An answer that was lost on its way would count what it wrote twice, or never."""
    away = AwayDatabase(database, ["", "", fails])
    share = share_on(away, Log(log()))
    read(share, share.assigned([P0, P1]), 1000)

    with pytest.raises(StoreError):
        share.checkpoint()
    share.checkpoint()

    assert kept(database) == undisturbed()


def test_two_partitions_with_series_of_one_service_have_two_anomalies(database: Database) -> None:
    """Each would write over what the other tells: of two pods that are odd one would be seen."""
    same = messages(number=0)
    twin = [replace(one, partition=P1) for one in same]
    share = share_on(database, Log({P0: same, P1: twin}))
    share.assigned([P0, P1])

    for message in [*same, *twin]:
        share.apply(message)
    share.checkpoint()

    assert len(kept(database)["anomalies"]) == 2


def test_progress_says_who_works_on_what_and_since_when(database: Database) -> None:
    """Nobody could tell which worker holds a partition, or whether it still writes."""
    share = share_on(database, Log(log()), "host-7")
    read(share, share.assigned([P0]), 100)
    share.checkpoint()

    [found] = progress_of(database)

    assert (found.part, found.worker, found.position) == (f"{TOPIC}/0", "host-7", 99)
    assert found.newest == log()[P0][99].at
    assert found.wrote_at is not None


def test_series_of_one_message_keep_their_ids_where_another_was_broken_in_its_midst(
    database: Database,
) -> None:
    """After a restart the ids of series would be those of others."""
    part = part_of(database, P0, "w1")
    part.take(lambda: 0)
    for message in log()[P0][:101]:
        part.apply(message)
    part.checkpoint()

    again = part_of(database, P0, "w2")
    offset = again.take(lambda: 0)

    assert offset == 101
    names = [operators_of(each).names("default").to_arrays() for each in (part, again)]
    assert len(names[0]["label.starts"])
    assert all(names[1][name].tobytes() == array.tobytes() for name, array in names[0].items())


def test_letters_that_were_refused_are_not_tried_again_at_once_and_events_do_not_wait_for_them(
    database: Database,
) -> None:
    """Judging would stand still, three seconds of each, while the dead-letter topic is away."""
    world = Log(log(), is_down=True)
    patient = ShareSettings(letters_again_s=3600.0)
    share = share_on(database, world, settings=patient)
    read(share, share.assigned([P0]), 230)

    share.tell()
    world.is_down = False
    share.tell()
    share.checkpoint()

    assert (world.letters, share.kept()) == ([], {})
    assert kept(database)["stream_events"]
