"""Units by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.units import amount, converted, quantity, shown
from detector.errors import InputError

BYTES = ("bytes", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "Gi")


@pytest.mark.parametrize(
    ("value", "unit", "to", "is_now"),
    [
        (1, "GiB", "bytes", 2**30),
        (1, "GB", "bytes", 10**9),
        (1, "Gi", "MiB", 1024),
        (250, "millicores", "cores", 0.25),
        (250, "m", "cores", 0.25),
        (60, "requests/min", "requests/s", 1),
        (7, "widgets", "widgets", 7),
    ],
)
def test_units_of_a_kind_are_converted(value: float, unit: str, to: str, is_now: float) -> None:
    """By their names, binary and decimal ones apart."""
    assert converted(value, unit, to) == pytest.approx(is_now)


@pytest.mark.parametrize(
    ("unit", "to"),
    [("GiB", "cores"), ("", "bytes"), ("requests/s", "messages/s"), ("widgets", "GiB")],
)
def test_what_counts_other_things_is_refused_by_name(unit: str, to: str) -> None:
    """Bytes are never taken for GiB in silence."""
    with pytest.raises(InputError, match="is not counted in") as refused:
        converted(1.0, unit, to)
    assert refused.value.field == "unit"


@pytest.mark.parametrize("text", ["", "GiB", "1,5 GiB", "nan", "inf", "1e999", "0x10", "1 2"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """With what would be right."""
    with pytest.raises(InputError, match="as 200GiB"):
        quantity(text)


def test_a_plain_number_is_in_the_unit_at_hand() -> None:
    """Only what has a name is converted."""
    assert amount("4", "cores") == 4.0
    assert amount(" 1.5 GiB ", "MiB") == 1536.0


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (200 * 2**30, "bytes", "200 GiB"),
        (1023.9 * 2**20, "bytes", "1 GiB"),
        (0, "bytes", "0 bytes"),
        (-3 * 2**20, "bytes", "-3 MiB"),
        (0.123456, "cores", "0.123 cores"),
        (12_345.6, "requests/s", "12,346 requests/s"),
        (12.0, "", "12"),
    ],
)
def test_amounts_are_shown_in_three_digits(value: float, unit: str, text: str) -> None:
    """As a person would write them."""
    assert shown(value, unit) == text


@given(value=st.floats(-1e15, 1e15), unit=st.sampled_from(BYTES), to=st.sampled_from(BYTES))
def test_converting_back_gives_the_same(value: float, unit: str, to: str) -> None:
    """To rounding."""
    assert converted(converted(value, unit, to), to, unit) == pytest.approx(value, rel=1e-12)
