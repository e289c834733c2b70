"""What was applied is kept by version and tenant, and of two at once one is refused."""

from __future__ import annotations

import pytest

from detector.alerts.brief import Gravity
from detector.changes.change import ChangeKind
from detector.changes.learned import Learned, LearnedRule, applied
from detector.errors import InputError
from detector.ports import Stores

BAD = {ChangeKind.FLAG: 0.15, ChangeKind.MERGE: 0.001}


def version(stores: Stores, tenant: str = "default", at: float = 1.5) -> Learned:
    """The next of a tenant."""
    return applied(stores.learned.of(tenant), BAD, person="ada", reason="why", at=at)


def test_nothing_was_ever_applied(stores: Stores) -> None:
    """The defaults hold."""
    assert list(stores.learned.of("default")) == []


def test_versions_are_kept_in_order(stores: Stores) -> None:
    """As they were applied, to the digit."""
    for at in (1.5, 2.5):
        stores.learned.add("default", version(stores, at=at))
    kept = stores.learned.of("default")
    assert [(one.version, one.before, one.at) for one in kept] == [(1, 0, 1.5), (2, 1, 2.5)]
    assert kept[1] == Learned(
        version=2, bad=BAD, person="ada", reason="why", at=2.5, before=1, undoes=None
    )


def test_tenants_learn_apart(stores: Stores) -> None:
    """What breaks at one says nothing of the other."""
    stores.learned.add("default", version(stores))
    assert list(stores.learned.of("other")) == []


def test_of_two_at_once_the_second_is_refused(stores: Stores) -> None:
    """Neither would know what it replaces."""
    one, other = version(stores), version(stores)
    stores.learned.add("default", one)
    with pytest.raises(InputError, match="meanwhile"):
        stores.learned.add("default", other)
    assert list(stores.learned.of("default")) == [one]


def test_rules_are_kept_with_it(stores: Stores) -> None:
    """And a version of before there were any has none."""
    rule = LearnedRule(route='service="cart"', receiver="chat", least=Gravity.HIGH)
    made = applied((), BAD, person="ada", reason="why", at=1.5, rules=[rule])
    stores.learned.add("default", made)
    stores.learned.add("default", version(stores, at=2.5))
    assert [one.rules for one in stores.learned.of("default")] == [(rule,), (rule,)]
