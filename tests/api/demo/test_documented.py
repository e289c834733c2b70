"""docs/demo.md says what the demo does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.demo.calls import DATABASE
from api.demo.canary import FAULTY_FROM, STABLE_PODS, TIME_SCALE
from api.demo.faults import Behaviour, Fault, behaviour
from api.demo.play import DONE, INTERRUPTED, ONCE_WITHIN_S, OTHERWISE
from api.demo.rollout import PLAN
from api.demo.stage import REQUESTS_PER_S

TEXT = (Path(__file__).parents[3] / "docs/demo.md").read_text(encoding="utf-8")
NUMBERS = {2: "two", 4: "four", 6: "Six", 7: "seven"}


def rows(heading: str) -> dict[str, str]:
    """First cells of the table below a heading, with the rest of the row."""
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `?([\w-]+)`? \|(.*)\|$", part, flags=re.MULTILINE))


def test_every_fault_is_described() -> None:
    """And none that there is not."""
    described = rows("The faults")
    assert set(described) - {"FAULT"} == set(Fault)


def test_faults_are_as_large_as_described() -> None:
    """The figures of the table are those of the code."""
    well, described = Behaviour(), rows("The faults")
    ill = {fault: behaviour(fault, "pod", index=0) for fault in Fault}
    assert "five requests in a hundred" in described["errors"]
    assert ill[Fault.ERRORS].errors == pytest.approx(0.05 + well.errors, abs=0.002)
    assert "1.8 times" in described["latency"]
    assert 1 + ill[Fault.LATENCY].query == pytest.approx(1.8, rel=0.1)
    assert DATABASE.name in described["latency"]
    assert "five requests in a hundred" in described["logs"]
    assert ill[Fault.LOGS].lost_receipts == pytest.approx(0.05)
    assert "200 kB" in described["leak"]
    assert ill[Fault.LEAK].leak_bytes == pytest.approx(200_000, rel=0.31)
    assert "a quarter" in described["one-pod"]
    assert ill[Fault.ONE_POD].errors == pytest.approx(0.25, abs=0.01)


def test_every_exit_code_is_described() -> None:
    """A script that runs the demo can rely on the table."""
    codes = {str(code) for code in (DONE, OTHERWISE, 2, 4, INTERRUPTED)}
    assert set(rows("When it does not end well")) - {"exit"} == codes
    assert f"{ONCE_WITHIN_S:.0f} seconds" in TEXT


def test_the_plan_is_as_described() -> None:
    """Weights, pods and rate of the text are those that people will see."""
    canary = ", ".join(NUMBERS[step.pods] for step in PLAN[:-1])
    assert f"{NUMBERS[STABLE_PODS]} stable pods, and {canary} and then" in TEXT
    assert [f"{step.weight} % of the traffic goes to v2" in TEXT for step in PLAN] == [True] * 3
    assert f"{REQUESTS_PER_S:.0f} requests a second" in TEXT
    bad_at = next(step.weight for step in PLAN if step.weight >= FAULTY_FROM)
    assert f"turns bad at {bad_at} %" in TEXT
    assert f"`time_scale: 1/{1 / TIME_SCALE:.0f}`" in TEXT
