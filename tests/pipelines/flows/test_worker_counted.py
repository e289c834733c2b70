"""Partitions of logs and traces: counted once, whoever reads them and however often it is cut."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.logs.kept import KeptTemplate, TemplateFilter
from detector.series import Query
from pipelines.flows.worker_part import Unit
from pipelines.flows.worker_share import Share
from pipelines.sources.own import OwnSource
from pipelines.stores.own import SqlOwn
from pipelines.stores.sqlite import Database
from pipelines.stores.templates import SqlTemplates
from pipelines.stores.worker_graphs import graph_of
from pipelines.topics.port import Message, Partition
from tests.pipelines.flows.counting import (
    ERROR,
    INFO,
    LOGS,
    SPANS,
    STEP,
    everything,
    logs_of,
    message_of,
    readings,
    share_of_logs,
    spans_of,
)
from tests.pipelines.flows.working import T0, Log

LINES, TRACES = Partition(LOGS, 0), Partition(SPANS, 0)
STEPS, BROKEN = 110, 50


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(tmp_path / "stream.db")
    yield opened
    opened.close()


def lines() -> list[Message]:
    """A message a step: orders and beats, of which the beats end, and a new error in the end."""
    found = []
    for step in range(STEPS):
        at = T0 + step * STEP
        said = [(INFO, f"order {step * 7 + n} placed by user u{n}") for n in range(3)]
        said += [(INFO, "beat of the queue")] if step < 70 else []
        said += [(ERROR, f"no answer of db-{step} within {step} ms")] if step >= 80 else []
        tenant = "other" if step % 10 == 9 else ""
        body = b"\xff\xff none" if step == BROKEN else logs_of(said, at, pod=f"{step % 2}")
        found.append(message_of(body, step, at, tenant=tenant))
    return found


def spans() -> list[Message]:
    """A message a step, with four requests."""
    return [
        message_of(
            spans_of(range(4 * step + 1, 4 * step + 5), T0 + step * STEP),
            step,
            T0 + step * STEP,
            topic=SPANS,
        )
        for step in range(STEPS)
    ]


@cache
def log() -> dict[Partition, list[Message]]:
    """Both."""
    return {LINES: lines(), TRACES: spans()}


def read(share: Share, offsets: Mapping[Partition, int], upto: int = STEPS) -> None:
    """Judge all from the offsets on, before another one."""
    for partition, offset in offsets.items():
        for message in log()[partition][offset:upto]:
            share.apply(message)


def kept_whole(share: Share) -> None:
    """Keep all that was read: a second later nothing waits for more of its kind."""
    share.checkpoint()
    for partition, part in share.parts.items():
        share.time_goes({partition: part.read + 1}, T0 + part.read * STEP + 1_000)
    share.checkpoint()


def whole(database: Database) -> dict[str, Any]:
    """All that is kept; the state of traces has a seed of its own, what it counted has not."""
    found = dict(everything(database))
    place, newest, _ = found[f"{SPANS}/0"]
    read = readings(database, T0, T0 + (STEPS + 4) * STEP)
    return found | {f"{SPANS}/0": (place, newest), "readings": read}


@cache
def undisturbed() -> dict[str, Any]:
    """What one worker keeps that reads everything, and writes once."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "stream.db")
        share = share_of_logs(database, Log(log()))
        read(share, share.assigned([LINES, TRACES]))
        kept_whole(share)
        found = whole(database)
        database.close()
    return found


def stands(database: Database, metric: str, tenant: str = "default") -> Counter[tuple[str, ...]]:
    """What our counters stand at in the end, by level and template or service and status."""
    source = OwnSource(lambda: SqlOwn(database), tenant=tenant)
    (answer,) = source.read([Query(metric)], T0 / 1000, (T0 + (STEPS + 4) * STEP) / 1000)
    found: Counter[tuple[str, ...]] = Counter()
    for one in answer.series:
        told = one.labels
        if "service_name" in told:
            found[told["service_name"], told["status_code"]] += int(one.values[-1])
        else:
            found[told["level"], "template" if "template" in told else ""] += int(one.values[-1])
    return found


def kinds(found: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Tenants and kinds of what is odd."""
    return {(row[1], row[3]) for row in found["anomalies"]}


def test_lines_of_a_topic_are_counted_and_what_is_odd_of_them_is_told(database: Database) -> None:
    """Logs that go by Kafka would be seen by nobody."""
    world = Log(log())
    share = share_of_logs(database, world)
    read(share, share.assigned([LINES]))
    kept_whole(share)
    wanted = TemplateFilter(tenant="default")
    texts = {one.text: one.count for one in SqlTemplates(database).list(wanted).templates}

    assert texts == {
        "order <num> placed by user <id>": 3 * 98,
        "beat of the queue": 62,
        "no answer of <id> within <num>": 27,
    }
    assert kinds(everything(database)) == {
        ("default", "log_silence"),
        ("default", "log_novelty"),
        ("other", "log_novelty"),
    }
    assert [letter.message.offset for letter in world.letters] == [BROKEN]
    assert share.meters.taken[Unit.LINES] == 3 * 109 + 69 + 30


def test_counters_of_lines_are_read_as_any_metric_is(database: Database) -> None:
    """The gate would not see what a canary's pods write."""
    share = share_of_logs(database, Log(log()))
    read(share, share.assigned([LINES]))
    kept_whole(share)

    # Of all steps but the one that is open still, which the last message of a tenant is in.
    assert stands(database, "serinus_log_lines_total") == {
        ("info", ""): 3 * 98 + 62,
        ("error", ""): 27,
        ("error", "template"): 27,
    }


def test_spans_of_a_topic_are_counted_by_service_and_drawn_as_a_graph(database: Database) -> None:
    """Traces that go by Kafka would tell nobody where requests fail."""
    share = share_of_logs(database, Log(log()))
    read(share, share.assigned([TRACES]))
    kept_whole(share)
    told = graph_of(database, "default", "cart")
    failed = sum(1 for trace in range(1, 4 * STEPS - 3) if trace % 5 == 0)

    found = stands(database, "traces_span_metrics_calls_total")
    assert found["cart", "STATUS_CODE_ERROR"] == failed
    assert found["cart", "STATUS_CODE_UNSET"] == 4 * (STEPS - 1) - failed
    assert told is not None
    assert [(one.caller.name, one.callee.name) for one in told.edges] == [("checkout", "cart")]
    assert told.edges[0].total_calls == 4 * STEPS


def lines_counted(database: Database, until: int) -> int:
    """What our counters of lines stand at, as of all steps up to a time."""
    source = OwnSource(lambda: SqlOwn(database))
    (answer,) = source.read([Query("serinus_log_lines_total")], T0 / 1000, until / 1000)
    return sum(int(one.values[-1]) for one in answer.series if "template" not in one.labels)


def test_lines_of_a_pod_in_two_partitions_are_the_sum_of_both(database: Database) -> None:
    """Two counters of one name, each with a value of its own, would look like restarts."""
    other = Partition(LOGS, 1)
    twin = [replace(one, partition=other) for one in log()[LINES]]
    share = share_of_logs(database, Log({LINES: log()[LINES], other: twin}))
    share.assigned([LINES, other])
    for message in [*log()[LINES][:30], *twin[:20]]:
        share.apply(message)
    kept_whole(share)
    source = OwnSource(lambda: SqlOwn(database))
    query = Query("serinus_log_lines_total")
    (answer,) = source.read([query], T0 / 1000, (T0 + 30 * STEP) / 1000)
    named = [tuple(one.labels.items()) for one in answer.series]

    assert len(set(named)) == len(named) == 4
    assert {one.labels["partition"] for one in answer.series} == {f"{LOGS}/0", f"{LOGS}/1"}
    # Every tenth is of another tenant.
    assert sum(int(one.values[-1]) for one in answer.series) == 4 * 27 + 4 * 18
    assert all((one.values[1:] >= one.values[:-1]).all() for one in answer.series)
    assert len(source.series([query], T0 / 1000, (T0 + 30 * STEP) / 1000)) == 4


def test_a_step_ends_also_where_nothing_comes_after_it(database: Database) -> None:
    """The last error before the silence would be seen by nobody until there is another line."""
    share = share_of_logs(database, Log(log()))
    read(share, share.assigned([LINES]), upto=3)
    kept_whole(share)
    now = T0 + 3 * STEP
    before = lines_counted(database, now + STEP)

    share.time_goes({LINES: 4}, now)
    behind = lines_counted(database, now + STEP)
    share.time_goes({LINES: 3}, now)
    after = lines_counted(database, now + STEP)
    epoch = share.meters.conflicts, share.kept()

    assert (before, behind, after) == (8, 8, 12)
    assert epoch == (0, {LINES: 3})


def test_what_no_message_told_is_not_counted_again_by_the_next_worker(database: Database) -> None:
    """Each rebalance would add the lines of the last step once more, or lose those after it."""
    for nth in range(4):
        share = share_of_logs(database, Log(log()), f"w{nth}")
        offset = share.assigned([LINES])[LINES]
        read(share, {LINES: offset}, upto=3 * nth + 3)
        end = 3 * nth + 3
        for late in (1, 2):
            share.time_goes({LINES: end}, T0 + end * STEP + late * 16_000)
        # It dies: nothing is written in the end.

    assert lines_counted(database, T0 + 14 * STEP) == 4 * 11 + 0
    assert sum(one.count for one in _templates(database)) == 4 * 11


def test_nothing_is_told_of_a_partition_that_is_quiet_for_long(database: Database) -> None:
    """A topic that nobody writes to any more would be written about for ever."""
    share = share_of_logs(database, Log(log()))
    read(share, share.assigned([LINES]), upto=3)
    share.checkpoint()
    before = share.meters.checkpoints, everything(database)

    share.time_goes({LINES: 3}, T0 + 7 * 3_600_000)

    assert everything(database) == before[1]


def test_a_topic_that_was_made_anew_is_counted_from_its_beginning_on(database: Database) -> None:
    """Lines at offsets that were read once would be passed over as if they were counted."""
    share = share_of_logs(database, Log(log()))
    read(share, share.assigned([LINES]), upto=40)
    share.checkpoint()
    share.parts[LINES].begin_at(0)
    for message in log()[LINES][40:45]:
        share.apply(replace(message, offset=message.offset - 40))
    share.parts[LINES].time_goes(T0 + 45 * STEP)
    again = share_of_logs(database, Log(log()), "w2")

    offset = again.assigned([LINES])[LINES]

    assert offset == 5
    assert sum(one.count for one in _templates(database)) == 4 * (45 - 4)


def _templates(database: Database) -> Sequence[KeptTemplate]:
    return SqlTemplates(database).list(TemplateFilter(tenant="default")).templates


class Disturbed:
    """Workers that come and go on both partitions."""

    def __init__(self, database: Database) -> None:
        self.database, self.log = database, Log(log())
        self.names = itertools.count()
        self.owners: dict[Partition, Share] = {}
        self.next: dict[Partition, int] = {}
        self.zombies: list[Share] = []
        for partition in (LINES, TRACES):
            self.give(partition)

    def give(self, partition: Partition) -> None:
        """A partition goes to a new worker."""
        made = share_of_logs(self.database, self.log, f"w{next(self.names)}")
        self.owners[partition] = made
        self.next |= made.assigned([partition])

    def act(self, what: str, partition: Partition, count: int) -> None:
        """One thing that happens."""
        owner = self.owners[partition]
        match what:
            case "read":
                start = self.next[partition]
                for message in log()[partition][start : start + count]:
                    owner.apply(message)
                self.next[partition] = min(start + count, STEPS)
            case "tell":
                # Counters are shown before their checkpoint, not only once a second.
                owner.tell()
                owner.parts[partition].judge.settle()
            case "checkpoint":
                owner.checkpoint()
            case "move":
                owner.revoked([partition])
                self.give(partition)
            case "die":
                self.give(partition)
            case "lose":
                self.zombies.append(owner)
                self.give(partition)
            case "haunt":
                for zombie in self.zombies:
                    zombie.tell()
                    zombie.checkpoint()
                    zombie.waiting.clear()

    def finish(self) -> None:
        """Read all that is left, and keep it."""
        for partition in (LINES, TRACES):
            self.act("read", partition, STEPS)
            kept_whole(self.owners[partition])


ACTS = ("read", "read", "read", "tell", "tell", "checkpoint", "move", "die", "lose", "haunt")


def single(said: Sequence[tuple[int, str]]) -> list[Message]:
    """A message for each line, fifty a second."""
    return [
        message_of(logs_of([one], T0 + 20 * nth), nth, T0 + 20 * nth)
        for nth, one in enumerate(said)
    ]


def test_messages_of_one_line_are_counted_by_the_second(database: Database) -> None:
    """One by one each would cost a thousand lines' worth; nothing of them may be lost for that."""
    said = [(INFO, f"order {n} placed") for n in range(149)] + [(ERROR, "no answer of db")]
    world = Log({LINES: single(said)})
    share = share_of_logs(database, world)
    share.assigned([LINES])
    for message in world.partitions[LINES]:
        share.apply(message)
    part = share.parts[LINES]

    assert (part.read, part.position) == (149, 99)
    share.checkpoint()
    assert sum(one.count for one in _templates(database)) == 100
    # It dies, and another reads what waited again.
    second = share_of_logs(database, world, "w2")
    assert second.assigned([LINES]) == {LINES: 100}
    for message in world.partitions[LINES][100:]:
        second.apply(message)
    second.time_goes({LINES: 150}, T0 + 2_999)
    assert sum(one.count for one in _templates(database)) == 100
    second.time_goes({LINES: 150}, T0 + 3_000)
    assert sum(one.count for one in _templates(database)) == 150
    assert second.kept() == {LINES: 150}


def test_what_a_clock_ahead_of_ours_wrote_waits_a_few_seconds(database: Database) -> None:
    """Its second would be over in an hour, and the last lines before a silence unseen till then."""
    ahead = message_of(logs_of([(INFO, "order 1 placed")], T0), 0, T0 + 3_600_000)
    share = share_of_logs(database, Log({LINES: [ahead]}))
    share.assigned([LINES])
    share.apply(ahead)
    for late in (0, 4_999):
        share.time_goes({LINES: 1}, T0 + late)
    before = len(_templates(database))
    share.time_goes({LINES: 1}, T0 + 5_000)

    assert (before, len(_templates(database))) == (0, 1)


def test_a_message_that_cannot_be_read_takes_none_with_it_that_waits(database: Database) -> None:
    """A broken line in the midst of a second is put aside alone."""
    messages = single([(INFO, f"order {n} placed") for n in range(60)])
    messages[10] = replace(messages[10], value=b"\xff")
    world = Log({LINES: messages})
    share = share_of_logs(database, world)
    share.assigned([LINES])
    for message in messages:
        share.apply(message)
    share.checkpoint()
    share.time_goes({LINES: 60}, T0 + 2_000)

    assert [letter.message.offset for letter in world.letters] == [10]
    assert sum(one.count for one in _templates(database)) == 59
    assert share.kept() == {LINES: 60}


@pytest.mark.slow
@settings(max_examples=max(5, settings().max_examples // 20))
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(ACTS), st.sampled_from([LINES, TRACES]), st.integers(1, 70)),
        max_size=12,
    )
)
def test_whatever_comes_between_all_that_is_kept_is_that_of_an_undisturbed_run(
    acts: list[tuple[str, Partition, int]],
) -> None:
    """A death, a rebalance or a zombie would lose lines, or count some of them twice."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "stream.db")
        world = Disturbed(database)
        for act in acts:
            world.act(*act)
        world.finish()
        found = whole(database)
        database.close()

    assert found == undisturbed()
