"""What a resource costs: prices a month by kind, for a core, a GiB or a piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from detector.capacity.resource import Kind
from detector.capacity.units import converted
from detector.errors import InputError

__all__ = ["PRICED", "Prices"]

# What a price is for.
PRICED: Mapping[Kind, str] = {
    Kind.CPU: "cores",
    Kind.MEMORY: "GiB",
    Kind.DISK: "GiB",
    Kind.CONNECTIONS: "",
    Kind.PARTITIONS: "",
    Kind.LICENCES: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """`a_month` by kind: for a core, a GiB of memory or disk, a connection, partition, licence.

    `currency` is a word that is shown. `InputError` for what has no price or is no price.
    """

    currency: str = ""
    a_month: Mapping[Kind, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, price in self.a_month.items():
            if kind not in PRICED:
                told = ", ".join(PRICED)
                raise InputError(f"{kind} has no price; these have: {told}", field="prices")
            if not (isfinite(price) and price >= 0):
                raise InputError(f"a price of {price:g} for {kind}: 0 or more", field="prices")

    def of(self, kind: Kind, amount: float, unit: str) -> float | None:
        """What an amount costs a month, None where that has no price: an inode is no GiB.

        >>> Prices(a_month={Kind.MEMORY: 4.0}).of(Kind.MEMORY, 512, "MiB")
        2.0
        """
        price = self.a_month.get(kind)
        if price is None:
            return None
        try:
            return price * converted(amount, unit, PRICED[kind] or unit)
        except InputError:
            return None
