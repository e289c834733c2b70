"""Public holidays of a place, as the package that collects them has them."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date

import pytest

from detector.errors import ConfigError
from pipelines.countries import days_off


def test_thanksgiving_is_the_fourth_thursday_of_each_november() -> None:
    """A list by hand would be right for the year in which it was written."""
    found = {day for day in days_off("US") if (day.month, day.weekday()) == (11, 3)}
    assert {date(2025, 11, 27), date(2026, 11, 26), date(2027, 11, 25)} < found
    assert date(2026, 11, 19) not in found


def test_a_part_of_a_country_has_its_own_holidays_too() -> None:
    """Bavaria would be judged on Epiphany as if it were at work, or Berlin as if it were not."""
    bavaria, epiphany, unity = days_off("DE-BY"), date(2027, 1, 6), date(2026, 10, 3)
    assert {epiphany, unity} <= set(bavaria)
    assert epiphany not in days_off("DE-BE")
    assert set(days_off("DE")) < set(bavaria)


def test_the_day_on_which_a_holiday_is_made_up_for_is_one() -> None:
    """On 2027-07-05 nobody is at work in the United States, since the 4th is a Sunday."""
    assert date(2027, 7, 5) in days_off("US")


def test_days_are_in_order_and_of_the_years_that_clocks_are_told_for() -> None:
    """Samples that are told late would be of a year without holidays."""
    found = days_off("GB")
    assert list(found) == sorted(set(found))
    assert {day.year for day in found} == set(range(2010, 2051))


def test_moving_feasts_that_are_known_for_fewer_years_make_no_noise(
    recwarn: pytest.WarningsRecorder,
) -> None:
    """A start would print a warning of a library that nobody can act on."""
    assert date(2026, 1, 26) in days_off("IN")
    assert not recwarn.list


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("UK", r"'UK' is not known: .*; is it GB \(UnitedKingdom\)\?$"),
        ("de", r"is it DE \(Germany\)"),
        ("Germny-BY", r"is it DE \(Germany\)"),
        ("United States", r"is it US \(UnitedStates\)"),
        ("DEU", r"is it DE \(Germany\)"),
        ("financial_holidays", r"by its two letters, as in DE or DE-BY"),
        ("-BY", r"by its two letters"),
        ("DE-Bayren", r"no part 'Bayren' of DE is known; is it DE-BY"),
        ("DE-", r"no part '' of DE is known; is it DE-BB, DE-BE"),
        ("DE-XX", r"no part 'XX' of DE is known; is it DE-BB, DE-BE"),
        ("VA-BY", r"no part 'BY' of VA is known$"),
        ("IL", r"in IL people work on Sundays"),
    ],
)
def test_a_place_that_is_not_known_is_said_with_those_near_it(place: str, words: str) -> None:
    """A typing error would be a country without holidays, without a word."""
    with pytest.raises(ConfigError, match=words):
        days_off(place)


def test_days_do_not_depend_on_the_language_of_the_machine() -> None:
    """Two workers with other locales would judge the same samples otherwise."""
    asks = "from pipelines.countries import days_off; print(hash(days_off('DE-BY')))"
    found = {
        subprocess.run(
            [sys.executable, "-c", asks],
            env={**os.environ, "LANGUAGE": language, "LC_ALL": language, "PYTHONHASHSEED": "0"},
            capture_output=True,
            check=True,
        ).stdout
        for language in ("de", "en_US", "C")
    }
    assert len(found) == 1


def test_who_names_no_country_does_not_load_the_package() -> None:
    """Each command would start a tenth of a second later for what it does not use."""
    asks = (
        "import sys; from api.stream_settings import StreamSection;"
        "StreamSection(zone='Europe/Berlin').calendar(); print('holidays' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", asks], capture_output=True, check=True)
    assert found.stdout == b"False\n"
