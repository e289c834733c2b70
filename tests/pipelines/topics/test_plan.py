"""Topics that are asked for, against those that exist."""

from __future__ import annotations

import pytest

from pipelines.testing.topics import MemoryBroker
from pipelines.topics.plan import Standing, set_up
from pipelines.topics.port import Topic

WANTED = Topic(name="columns", partitions=12, replication=1, config={"retention.ms": "86400000"})


def test_what_is_absent_is_made_once() -> None:
    """It is run by hand, by a chart and by a job: the second time nothing happens."""
    admin = MemoryBroker().admin()
    (first,) = set_up(admin, [WANTED], make=True)
    (second,) = set_up(admin, [WANTED], make=True)
    assert (first.standing, second.standing) == (Standing.MADE, Standing.SAME)
    assert admin.describe(["columns"]) == {"columns": WANTED}


def test_a_dry_run_makes_nothing() -> None:
    """Who may not make topics sees what to ask for."""
    admin = MemoryBroker().admin()
    (found,) = set_up(admin, [WANTED], make=False)
    assert found.standing is Standing.ABSENT
    assert admin.describe(["columns"]) == {}


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (Topic(name="columns", partitions=6, replication=1, config=WANTED.config), "6 partitions"),
        (Topic(name="columns", partitions=12, replication=1), "retention.ms is the broker's"),
        (
            Topic(name="columns", partitions=12, replication=1, config={"retention.ms": "5"}),
            "retention.ms is 5, asked is 86400000",
        ),
    ],
    ids=["partitions", "no retention", "short retention"],
)
def test_what_differs_is_told_and_left_alone(there: Topic, words: str) -> None:
    """More partitions would part series from their state, a shorter retention deletes at once."""
    admin = MemoryBroker().admin()
    admin.create([there])
    (found,) = set_up(admin, [WANTED], make=True)
    assert found.standing is Standing.DIFFERENT
    assert words in found.differences[0]
    assert admin.describe(["columns"]) == {"columns": there}


def test_settings_of_others_are_no_difference() -> None:
    """Who runs the brokers adds what they need."""
    admin = MemoryBroker().admin()
    more = {**WANTED.config, "compression.type": "zstd"}
    admin.create([Topic(name="columns", partitions=12, replication=1, config=more)])
    (found,) = set_up(admin, [WANTED], make=True)
    assert found.standing is Standing.SAME


def test_only_what_is_absent_is_made() -> None:
    """One that is there must not keep the others from being made."""
    admin = MemoryBroker().admin()
    admin.create([WANTED])
    other = Topic(name="other", partitions=1, replication=1)
    found = set_up(admin, [WANTED, other], make=True)
    assert [one.standing for one in found] == [Standing.SAME, Standing.MADE]
