"""Check digits: what passes is surely a card, an account or a person's number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.check_digits import is_card, is_iban, is_personal

# Numbers that the schemes themselves publish as examples.
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "30569309025904",
         "6011111111111117", "3530111333300000", "2223003122003222"]  # fmt: skip
IBANS = ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606",
         "NO9386011117947", "MT84MALT011000012345MTLCAST001S"]  # fmt: skip
PERSONS = [
    ("it", "RSSMRA85T10A562S"), ("fr", "255081416802538"), ("es", "12345678Z"),
    ("es", "X1234567L"), ("br", "52998224725"), ("cn", "11010519491231002X"),
    ("fi", "131052308T"), ("no", "01010750160"), ("ch", "7569217076985"),
    ("be", "85073003328"), ("se", "8112189876"),
]  # fmt: skip


@pytest.mark.parametrize("digits", CARDS)
def test_a_card_is_known(digits: str) -> None:
    """The number of somebody's card would be kept."""
    assert is_card(digits)


@given(st.sampled_from(CARDS), st.integers(0, 15), st.integers(1, 9))
def test_a_card_with_one_wrong_digit_is_none(digits: str, place: int, by: int) -> None:
    """Every order number would be a card."""
    place %= len(digits)
    wrong = str((int(digits[place]) + by) % 10)
    assert not is_card(digits[:place] + wrong + digits[place + 1 :])


@pytest.mark.parametrize("text", IBANS)
def test_an_account_is_known(text: str) -> None:
    """The number of somebody's account would be kept."""
    assert is_iban(text)


@given(st.sampled_from(IBANS), st.integers(4, 14), st.integers(1, 9))
def test_an_account_with_one_wrong_digit_is_none(text: str, place: int, by: int) -> None:
    """What only looks like an account stays readable."""
    if text[place].isdigit():
        wrong = str((int(text[place]) + by) % 10)
        assert not is_iban(text[:place] + wrong + text[place + 1 :])


@pytest.mark.parametrize(("country", "text"), PERSONS)
def test_a_persons_number_is_known(country: str, text: str) -> None:
    """The number by which a state knows somebody would be kept."""
    assert is_personal(country, text)


@pytest.mark.parametrize(("country", "text"), PERSONS)
def test_a_persons_number_with_a_wrong_check_is_none(country: str, text: str) -> None:
    """Any number of that length would be hidden."""
    last = "A" if text[-1].isalpha() and text[-1] != "A" else str((int(text[-1], 36) + 1) % 10)
    assert not is_personal(country, text[:-1] + last)
