"""Public holidays of a country or a part of it, from the package `holidays`, as plain dates."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from detector.errors import ConfigError

if TYPE_CHECKING:
    from holidays import HolidayBase

__all__ = ["days_off"]

# As far as clocks are told (`zones`): no clock is asked which years are of interest.
_YEARS = range(2010, 2051)
_A_SUNDAY = date(2026, 1, 4)


@lru_cache(maxsize=64)
def days_off(place: str) -> tuple[date, ...]:
    """The public holidays of `DE`, or with those of a part, as in `DE-BY`; in order.

    Days on which one that falls on a weekend is made up for are among them. `ConfigError` for a
    place that is not known, and for one where people work on Sundays.
    """
    code, _, part = place.partition("-")
    country = _country(code)
    if "-" in place:
        _check_part(code, part, country)
    if not country.is_weekend(_A_SUNDAY):
        raise ConfigError(
            f"in {code} people work on Sundays, and a holiday that goes like a Sunday would go like"
            " work: its holidays cannot be told yet"
        )
    return tuple(sorted(_entity(code, part or None, _YEARS)))


def _country(code: str) -> HolidayBase:
    """A country without any days yet."""
    from holidays.registry import COUNTRIES

    codes = {names[1]: names for names in COUNTRIES.values()}
    if code not in codes:
        words = {name.casefold(): names[1] for names in COUNTRIES.values() for name in names}
        asked = code.casefold().replace(" ", "").replace("_", "")
        found = [asked] if asked in words else get_close_matches(asked, words, 4, 0.6)
        near = dict.fromkeys(words[word] for word in found)
        raise ConfigError(
            f"the country {code!r} is not known: name it by its two letters, as in DE or DE-BY"
            + _or([f"{one} ({codes[one][0]})" for one in near])
        )
    return _entity(code)


def _check_part(code: str, part: str, country: HolidayBase) -> None:
    names = country.subdivisions_aliases
    if part in country.subdivisions or part in names:
        return
    words = {one.casefold(): one for one in (*country.subdivisions, *names)}
    near = get_close_matches(part.casefold(), words, 3, 0.5)
    found = dict.fromkeys(names.get(words[word], words[word]) for word in near)
    raise ConfigError(
        f"no part {part!r} of {code} is known"
        + _or([f"{code}-{one}" for one in found or country.subdivisions])
    )


def _or(near: list[str]) -> str:
    return f"; is it {', '.join(near)}?" if near else ""


def _entity(code: str, part: str | None = None, years: Iterable[int] = ()) -> HolidayBase:
    from holidays import country_holidays

    with warnings.catch_warnings():
        # Of some countries moving feasts are known for fewer years: then those are told.
        warnings.simplefilter("ignore", UserWarning)
        return country_holidays(code, subdiv=part, years=years)
