"""What a resource is limited to, and what it is called."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.resource import Identity, Kind, Limit, Resource
from detector.errors import InputError
from models.forecast.history import History


def disk(cluster: str = "") -> Identity:
    """A volume of a database."""
    return Identity(name="data", kind=Kind.DISK, unit="bytes", service="db", cluster=cluster)


def test_a_limit_holds_from_its_step_on() -> None:
    """A volume that was grown on Tuesday was small on Monday."""
    limit = Limit(steps=((100, 8.0), (200, 12.0)), planned=((300, 16.0),))
    assert [limit.at(ms) for ms in (0, 100, 199, 200, 299, 300, 10**15)] == [
        8.0, 8.0, 8.0, 12.0, 12.0, 16.0, 16.0,
    ]  # fmt: skip
    assert limit.now == 12.0


@pytest.mark.parametrize(
    ("steps", "planned", "why"),
    [
        ((), (), "at least one"),
        (((5, 1.0), (5, 2.0)), (), "go up in time"),
        (((5, 1.0),), ((4, 2.0),), "go up in time"),
        (((5, 0.0),), (), "above 0"),
        (((5, -1.0),), (), "above 0"),
        (((5, math.nan),), (), "above 0"),
        (((5, 1.0),), ((6, math.inf),), "above 0"),
    ],
)
def test_what_is_no_limit_is_refused(
    steps: tuple[tuple[int, float], ...], planned: tuple[tuple[int, float], ...], why: str
) -> None:
    """Nothing is divided by it later."""
    with pytest.raises(InputError, match=why) as refused:
        Limit(steps=steps, planned=planned)
    assert refused.value.field == "limit"


@given(
    values=st.lists(st.floats(0.1, 1e15), min_size=1, max_size=9),
    at=st.integers(-100, 2_000),
)
def test_a_limit_is_always_one_of_its_steps(values: list[float], at: int) -> None:
    """The last that has begun, or the first."""
    limit = Limit(steps=tuple((100 * step, value) for step, value in enumerate(values)))
    assert limit.at(at) == values[min(max(at // 100, 0), len(values) - 1)]


def test_a_resource_is_known_again_by_its_key() -> None:
    """In the next report, however its labels are ordered."""
    one = disk(cluster="eu").key
    assert one == "eu//db/disk/data"
    labelled = [
        Identity(name="data", kind=Kind.DISK, unit="bytes", labels=labels).key
        for labels in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    ]
    assert labelled[0] == labelled[1] == "///disk/data{a=1,b=2}"


def test_a_resource_is_named_in_a_sentence() -> None:
    """Without saying a word twice."""
    assert disk().title == "disk data of db"
    assert Identity(name="memory", kind=Kind.MEMORY, unit="bytes").title == "memory"


def test_the_identity_of_a_resource_has_no_arrays() -> None:
    """It goes into reports."""
    resource = Resource(
        name="data", kind=Kind.DISK, unit="bytes", service="db", team="storage",
        labels={"device": "sda"}, source="node", usage=History(values=np.zeros(3)),
    )  # fmt: skip
    assert resource.identity == Identity(
        name="data", kind=Kind.DISK, unit="bytes", service="db", team="storage",
        labels={"device": "sda"}, source="node",
    )  # fmt: skip
    assert resource.key == resource.identity.key
