"""A site that knows a week: one incident was told, others were held back, policies were judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from api.correlating import Correlating
from api.settings import Settings
from api.weekly import Weekly
from detector.gate.policy import Policy
from detector.gate.verdict import Outcome
from detector.incidents.record import Said, SaidKind
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.api.test_digest import SETTINGS, Open
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.pipelines.flows.happening import T0
from tests.pipelines.flows.test_blamed import rollout
from tests.pipelines.flows.test_team_weeks import DUE, Base
from tests.pipelines.stores.test_stores import verdict

__all__ = ["EVIL", "HELD", "bare_week", "week"]

EVIL = "<img src=x onerror=alert(1)>\u202e"
HELD = 6


@contextmanager
def week(folder: Path) -> Iterator[Site]:
    """On the monday after it."""
    stores, database = memory_stores(), Database(folder / "stream.db")
    shop = Shop(minutes=2, stores=stores)
    base = Base(database, stores)
    for number in range(HELD):
        base.happen(1 + 12 * number, f"svc{number}")
    base.happen(90, EVIL)
    history = base.incidents.histories()["default"]
    (told,) = (one.id for one in history.cases.values() if one.told)
    word = Said(at=T0 + 4_000_000, kind=SaidKind.ACKNOWLEDGED, person="ada")
    base.incidents.say("default", told, word)
    base.tell(DUE)
    shop.clock.at = DUE + 60
    _judge(shop)
    correlating = Correlating(Open((database,)), stores)
    weekly = Weekly(settings=SETTINGS, stores=stores, clock=shop.clock, correlating=correlating)
    yield Site(shop, beside={"weekly": weekly, "correlating": correlating})
    database.close()


def _judge(shop: Shop) -> None:
    """Rollouts under two policies, of which one only says what it would do."""
    for number, (name, outcome) in enumerate(
        [("default", Outcome.PASS), ("default", Outcome.FAIL), ("default", Outcome.INCONCLUSIVE),
         (EVIL, Outcome.PASS)]
    ):  # fmt: skip
        one = rollout(f"a{number}", at=T0 / 1000 + 3600 * (number + 1))
        one = replace(one, policy=Policy(name=name))
        shop.stores.attempts.save(one)
        shop.stores.verdicts.save(verdict(one, at=one.asked_at, outcome=outcome), at=one.asked_at)


def bare_week(settings: Settings) -> Site:
    """Without a stream."""
    shop = Shop(minutes=2)
    shop.clock.at = DUE + 60
    weekly = Weekly(settings=settings, stores=shop.stores, clock=shop.clock)
    return Site(shop, beside={"weekly": weekly})
