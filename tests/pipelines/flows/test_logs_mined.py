"""Templates of a tenant: what is new is told once, and who writes ids takes nobody's room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Level, Origin
from detector.logs.redaction import redacted
from models.templates.miner import Miner
from pipelines.flows.logs_mined import OTHER, TenantMiner
from tests.pipelines.flows.logging import CANARY, T0, PlainMined, PlainMiner, PlainPattern, lines

CART = Origin(service="cart", pod="cart-1")


def mined(known: tuple[str, ...] = (), most: int = 10_000) -> TenantMiner:
    """A miner that differs in digits only."""
    return TenantMiner(PlainMiner(), known, most=most, redact=redacted)


def fresh(miner: TenantMiner, *texts: str, origin: Origin = CANARY, at: int = T0) -> set[str]:
    """The texts of templates that are told to be new, and are kept."""
    said = [(Level.ERROR, text) for text in texts]
    counts = miner.count(lines(said, origins=(origin,)), at)
    miner.kept(counts)
    return {counts.templates[place].text for place in counts.fresh}


def test_a_template_is_new_once() -> None:
    """Whoever is woken by it is not woken again by each line."""
    miner = mined()
    assert fresh(miner, "disk 1 full", "disk 2 full", "up") == {"disk <num> full", "up"}
    assert fresh(miner, "disk 3 full", "down") == {"down"}


def test_what_was_not_kept_is_new_still() -> None:
    """A batch that was refused comes again, and with it what is new."""
    miner = mined()
    said = [(Level.ERROR, "disk 1 full")]
    miner.count(lines(said), T0)
    assert fresh(miner, "disk 1 full") == {"disk <num> full"}


def test_what_was_known_before_a_restart_is_not_new() -> None:
    """A restart of serinus is no release of all services."""
    first = mined()
    fresh(first, "disk 1 full")
    assert fresh(mined(tuple(first.known)), "disk 1 full", "up") == {"up"}


def test_a_service_that_writes_ids_takes_no_room_of_others() -> None:
    """A template explosion is bounded, told, and nobody else's."""
    miner = mined()
    letters = [
        "".join(map(chr, (97 + n // 676 % 26, 97 + n // 26 % 26, 97 + n % 26))) for n in range(4000)
    ]
    fresh(miner, *(f"session {word}" for word in letters))
    fresh(miner, *(f"token {word}" for word in letters))
    assert len(miner.known) <= 6_000
    assert miner.refused > 0
    assert fresh(miner, "cart is empty", origin=CART) == {"cart is empty"}
    later = T0 + 3_600_000
    assert fresh(miner, "at last", at=later) == {"at last"}


def test_lines_beyond_the_limit_are_counted_under_one_name() -> None:
    """How many there were is known still."""
    miner = mined(most=2)
    fresh(miner, "a", "b")
    counts = miner.count(lines([(Level.INFO, "c"), (Level.INFO, "d"), (Level.INFO, "a")]), T0)
    by_id = {counts.templates[t].id: n for t, n in zip(counts.template, counts.count, strict=True)}
    assert by_id[OTHER] == 2
    assert counts.count.sum() == 3


class Widening(PlainMiner):
    """A miner for which two templates become one, the id of which is another."""

    def add(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> PlainMined:
        """The second batch merges the first's template."""
        self.calls = getattr(self, "calls", 0) + 1
        numbers = np.full(len(ends), self.calls - 1, np.int32)
        return PlainMined(numbers, ((0, 1),) if self.calls == 2 else ())

    def template(self, number: int) -> PlainPattern:
        """By its number."""
        return PlainPattern(f"lt_{number}", f"text {number}")


def test_a_template_that_went_into_another_is_no_news() -> None:
    """The miner learned something; the service did not change."""
    miner = TenantMiner(Widening(), most=10_000, redact=redacted)
    assert fresh(miner, "x") == {"text 0"}
    assert fresh(miner, "x") == set()
    assert miner.merged == 1


def test_the_real_miner_goes_on_over_a_restart() -> None:
    """With what it learned a template keeps its id."""
    first = TenantMiner(Miner(), most=10_000, redact=redacted)
    said = [
        (Level.ERROR, f"user {name} failed after {n} ms") for n, name in enumerate("abcdef" * 9)
    ]
    before = first.count(lines(said), T0)
    first.kept(before)
    again = TenantMiner(
        Miner.from_arrays(dict(first.miner.to_bare_arrays())),
        first.known,
        most=10_000,
        redact=redacted,
    )
    after = again.count(lines(said[:1]), T0)
    assert {one.id for one in after.templates} <= {one.id for one in before.templates}
    assert not after.fresh
