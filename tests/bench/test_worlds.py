"""The worlds of conventions: each shipped pack has one, whose truth it tells by itself."""

from __future__ import annotations

import numpy as np
import pytest

from bench.gate.scenes import CANARY, CONTROL, Fault, Series
from bench.gate.staging import play
from bench.gate.worlds import without_a_world, worlds
from detector.signals.packs import parse_pack, shipped_packs

START = 1_790_000_100.0
each = pytest.mark.parametrize("name", sorted(worlds()))


def played(name: str, **fault: object) -> list[Series]:
    told = Fault(name="test", **fault)  # type: ignore[arg-type]
    return play(worlds()[name], told, "north", START, seed=3).series


def grown(series: list[Series], arm: str, role: str) -> float:
    """What series of a role counted after the start."""
    late = [s.values[s.times >= START] for s in series if (s.arm, s.role) == (arm, role)]
    return sum(float(values[-1] - values[0]) for values in late if values.size)


def test_every_shipped_pack_has_a_world() -> None:
    """A pack that nobody tried in a cluster would be found out by a user."""
    assert without_a_world(shipped_packs()) == []


def test_a_pack_without_a_world_is_named() -> None:
    """Only what serinus counts itself needs none: one that exporters have a part in does."""
    own = (
        "resources: [{role: log_lines, metric: serinus_log_lines_total, shape: counter, apart: t}]"
    )
    theirs = own.replace("serinus_", "")
    both = own.replace("]", ", {role: cpu, metric: some_cpu_seconds_total, shape: counter}]")
    packs = [
        parse_pack(f"{{name: {name}, title: T, published: https://a.example, {body}}}", origin="x")
        for name, body in {"own": own, "both": both, "theirs": theirs}.items()
    ]
    assert without_a_world(packs) == ["both", "theirs"]


@each
def test_both_arms_have_users_and_failures(name: str) -> None:
    """A world without failures could not show that they are found."""
    series = played(name, errors=0.03)
    for arm, rate in ((CANARY, 0.03), (CONTROL, 0.004)):
        good, bad = (grown(series, arm, role) for role in ("good", "bad"))
        assert good > 10_000
        assert bad / good == pytest.approx(rate, rel=0.25)


@each
def test_a_silent_canary_has_no_users(name: str) -> None:
    """What is left of it are probes and what it asks of others."""
    roles = {s.role for s in played(name, silent=True) if s.arm == CANARY}
    assert not roles & {"good", "bad", "bucket", "count", "sum"}


@each
def test_counters_of_users_never_fall(name: str) -> None:
    """A reset that nobody meant would be judged as one."""
    for one in played(name):
        if one.role in {"good", "bad", "bucket"}:
            assert (np.diff(one.values) >= 0).all()


@each
def test_the_expected_metrics_are_there(name: str) -> None:
    """A slip in a world's file would make the bench ask for what does not exist."""
    there = {s.labels["__name__"] for s in played(name)}
    assert set(worlds()[name].expected.values()) <= there
