"""The topics that a configuration asks for, and how those that exist differ from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pipelines.topics.port import Admin, Topic

__all__ = ["Found", "Standing", "set_up"]


class Standing(Enum):
    """What became of a topic that is asked for."""

    MADE = "made"
    ABSENT = "absent"
    SAME = "there, as asked"
    DIFFERENT = "there, but different"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A topic that is asked for, and in words what of it is different."""

    topic: Topic
    standing: Standing
    differences: tuple[str, ...] = ()


def set_up(admin: Admin, wanted: Sequence[Topic], *, make: bool) -> list[Found]:
    """Compare with what there is, and make what is absent.

    What exists is never changed: partitions that are added would send series elsewhere than their
    state is, and a shorter retention deletes at once. `BrokerError` from the admin.
    """
    existing = admin.describe([topic.name for topic in wanted])
    found = [_compared(topic, existing) for topic in wanted]
    if not make:
        return found
    absent = [one.topic for one in found if one.standing is Standing.ABSENT]
    if absent:
        admin.create(absent)
    return [_made(one) if one.standing is Standing.ABSENT else one for one in found]


def _made(one: Found) -> Found:
    return Found(topic=one.topic, standing=Standing.MADE)


def _compared(wanted: Topic, existing: Mapping[str, Topic]) -> Found:
    there = existing.get(wanted.name)
    if there is None:
        return Found(topic=wanted, standing=Standing.ABSENT)
    differences = tuple(_differences(wanted, there))
    standing = Standing.DIFFERENT if differences else Standing.SAME
    return Found(topic=wanted, standing=standing, differences=differences)


def _differences(wanted: Topic, there: Topic) -> Iterator[str]:
    """What is otherwise than asked; settings that were added by others are theirs."""
    if there.partitions != wanted.partitions:
        yield f"{there.partitions} partitions, asked are {wanted.partitions}"
    if there.replication != wanted.replication:
        yield f"{there.replication} copies, asked are {wanted.replication}"
    for name, value in wanted.config.items():
        has = there.config.get(name, "the broker's default")
        if has != value:
            yield f"{name} is {has}, asked is {value}"
