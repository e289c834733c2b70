from __future__ import annotations

import pytest

from tests.house.dockerfile import ROOT
from tests.lanes import FIRST, from_the_end, place


def in_order(*modules: tuple[str, bool]) -> list[str]:
    return [name for name, long in sorted(modules, key=lambda one: place(one[0], long=one[1]))]


def test_what_waits_begins_and_what_computes_ends() -> None:
    """Else the cores idle beside servers first, and modules that take minutes are left for last."""
    queue = in_order(
        ("tests/models/sequential/test_union_bound.py", True),
        ("tests/models/test_proportion.py", False),
        ("tests/pipelines/sources/test_deadline.py", False),
        ("tests/api/test_push_real.py", True),
        ("tests/api/demo/test_demo.py", True),
    )
    assert queue == [
        "tests/api/demo/test_demo.py",
        "tests/api/test_push_real.py",
        "tests/pipelines/sources/test_deadline.py",
        "tests/models/test_proportion.py",
        "tests/models/sequential/test_union_bound.py",
    ]


def test_modules_that_go_first_are_there() -> None:
    """One that was renamed would quietly lose its place."""
    assert [name for name in FIRST if not (ROOT / name).is_file()] == []


def test_modules_that_go_first_keep_their_order() -> None:
    """The demo's clock is fifteen times as fast as others': it is the first of all."""
    assert in_order(*((name, True) for name in reversed(FIRST))) == list(FIRST)


@pytest.mark.parametrize(("workers", "end"), [(1, [0]), (2, [1]), (3, [1, 2]), (4, [2, 3])])
def test_half_of_the_workers_compute_and_one_always_does(workers: int, end: list[int]) -> None:
    """Who ran out of modules that wait would else leave a core to nobody."""
    assert [one for one in range(workers) if from_the_end(f"gw{one}", workers)] == end
