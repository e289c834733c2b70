"""A fail that people called wrong makes the next need more, once somebody wants it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from detector.errors import InputError
from detector.gate.decision import Override
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.ports import Stores
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.flows.learning import Learning, Signed
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.pipelines.flows.shops import DIALECTS, T0, Faults, fill

PACKS, CLIENT = load_packs(), DIALECTS[0]
NOW = T0 + 1500
ADA = Signed(person="ada", reason="it was none", at=NOW + 60)


@cache
def noisy() -> MemorySource:
    """A canary whose errors are twice those of the rest."""
    return fill(CLIENT, Faults(errors=0.009))


@dataclass(slots=True)
class Place:
    """A gate that fails what people call healthy, and what learns of it."""

    learning: Learning
    stores: Stores
    gate: Gate
    asked: list[Verdict] = field(default_factory=list)

    def roll(self, attempt: str, service: str = "checkout") -> Verdict:
        """One more rollout, up to what it is told at the end."""
        asked = VerdictRequest(service=service, canary=CLIENT.canary, attempt=attempt)
        self.asked.append(self.gate.judge(asked))
        return self.asked[-1]

    def call_wrong(self, verdict: Verdict) -> None:
        """A person says that it should not have failed."""
        self.stores.overrides.add(
            Override(
                attempt=verdict.attempt,
                outcome=Outcome.PASS,
                person="ada",
                reason="it was none",
                at=NOW + 1,
                until=NOW + 2,
            )
        )

    def apply(self) -> float:
        """What fails of the service need from now on."""
        made = self.learning.apply("default", T0, ADA)
        (need,) = made.needs
        assert (need.scope.service, need.policy) == ("checkout", "default")
        return need.needs


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Nothing was learned yet."""
    database, stores, source = Database(tmp_path / "stream.db"), memory_stores(), noisy()
    gate = Gate(
        source=source,
        catalog=source,
        stores=stores,
        clock=lambda: NOW,
        discover=Discovery(PACKS, source),
        session_factory=Session,
    )
    learning = Learning(lambda: [SqlIncidents(database)], stores, bad={})
    yield Place(learning, stores, gate)
    database.close()


def test_what_was_called_wrong_fails_no_more_until_that_is_undone(place: Place) -> None:
    """The next attempt begins with it, and says so; one under way keeps what it began with."""
    for attempt in "12":
        verdict = place.roll(attempt)
        assert verdict.outcome is Outcome.FAIL
        place.call_wrong(verdict)
    (need,) = place.learning.look_back("default", T0, NOW + 60).needs
    assert (need.wrong, need.healthy, need.is_better) == (2, 2, True)
    needs = place.apply()
    assert needs == need.after > 1
    assert place.roll("2").outcome is Outcome.FAIL
    spared = place.roll("3")
    assert spared.outcome is not Outcome.FAIL
    assert any(f"needs {needs:.3g} times the evidence" in note for note in spared.notes)
    strongest = max(one.needed or 0.0 for one in spared.signals if one.judged)
    before = max(one.needed or 0.0 for one in place.asked[0].signals if one.judged)
    assert strongest == pytest.approx(needs * before, rel=0.01)
    place.learning.undo("default", Signed(person="bob", reason="no", at=NOW + 61))
    assert place.roll("4").outcome is Outcome.FAIL
    audit = [(one.person, one.subject) for one in place.stores.audit.entries(limit=9)]
    assert audit == [("bob", "default version 2 undoes 1"), ("ada", "default version 1")]


def test_a_fail_that_nobody_called_wrong_holds_it_back(place: Place) -> None:
    """It would come through: nothing is applied, whoever insists."""
    for attempt in "12":
        place.call_wrong(place.roll(attempt))
    place.roll("3")
    (need,) = place.learning.look_back("default", T0, NOW + 60).needs
    assert (need.right, need.lost, need.is_better) == (1, 1, False)
    with pytest.raises(InputError, match=r"nothing to apply|not better"):
        place.learning.apply("default", T0, ADA, force=True)
    assert list(place.stores.learned.of("default")) == []


def test_one_wrong_fail_raises_nothing(place: Place) -> None:
    """One of any number is what the policy promises."""
    place.call_wrong(place.roll("1"))
    assert place.learning.look_back("default", T0, NOW + 60).needs == ()


def test_looking_changes_nothing(place: Place) -> None:
    """Nor does what other tenants do."""
    for attempt in "12":
        place.call_wrong(place.roll(attempt))
    place.learning.look_back("default", T0, NOW + 60)
    assert place.roll("3").outcome is Outcome.FAIL
    assert place.learning.look_back("other", T0, NOW + 60).needs == ()
