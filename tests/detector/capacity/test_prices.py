"""What a resource costs."""

from __future__ import annotations

import math

import pytest

from detector.capacity.prices import Prices
from detector.capacity.resource import Kind
from detector.errors import InputError


def test_an_amount_is_priced_in_what_its_kind_is_sold_in() -> None:
    """Bytes are sold in GiB, millicores in cores."""
    prices = Prices(currency="EUR", a_month={Kind.MEMORY: 4.0, Kind.CPU: 20.0, Kind.LICENCES: 9.0})
    assert prices.of(Kind.MEMORY, 3 * 2**30, "bytes") == 12.0
    assert prices.of(Kind.CPU, 250, "millicores") == pytest.approx(5.0)
    assert prices.of(Kind.LICENCES, 2, "") == prices.of(Kind.LICENCES, 2, "seats") == 18.0


def test_what_has_no_price_costs_nothing_known() -> None:
    """Not nothing; inodes are on a disk, and are not sold by the GiB."""
    assert Prices().of(Kind.DISK, 1.0, "bytes") is None
    assert Prices(a_month={Kind.DISK: 0.1}).of(Kind.DISK, 1e6, "inodes") is None


@pytest.mark.parametrize("price", [-1.0, math.nan, math.inf])
def test_what_is_no_price_is_refused(price: float) -> None:
    """By its kind."""
    with pytest.raises(InputError, match="for cpu"):
        Prices(a_month={Kind.CPU: price})


def test_what_is_not_sold_has_no_price() -> None:
    """Traffic is not bought by the month."""
    with pytest.raises(InputError, match="traffic has no price; these have: cpu, memory"):
        Prices(a_month={Kind.TRAFFIC: 1.0})
