"""Units of resources by name: what can be converted is, what cannot is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite

from detector.errors import InputError

__all__ = ["amount", "converted", "quantity", "shown"]

# By family: how many of the family's first each unit is.
_BYTES = {"bytes": 1.0, "byte": 1.0, "B": 1.0} | {
    f"{prefix}{tail}": float(base**power)
    for tail, base in (("iB", 1024), ("B", 1000))
    for power, prefix in enumerate("KMGTPE", start=1)
}
_CORES = {"cores": 1.0, "core": 1.0, "millicores": 1e-3, "m": 1e-3, "nanocores": 1e-9}
_RATES = {
    f"{name}/{every}": 1 / seconds
    for name in ("requests", "req", "messages")
    for every, seconds in (("s", 1.0), ("min", 60.0), ("h", 3600.0))
}
_FAMILIES: tuple[Mapping[str, float], ...] = (
    _BYTES | {"kB": 1e3, "Ki": 1024.0, "Mi": 1024.0**2, "Gi": 1024.0**3, "Ti": 1024.0**4},
    _CORES,
    {name: factor for name, factor in _RATES.items() if name.startswith("req")},
    {name: factor for name, factor in _RATES.items() if name.startswith("mess")},
)
_QUANTITY = re.compile(r"\s*([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?)\s*([A-Za-z/%]*)\s*")


def converted(value: float, unit: str, to: str) -> float:
    """An amount of one unit in another; `InputError` (field `unit`) where they count other things.

    >>> converted(200, "GiB", "bytes"), converted(250, "millicores", "cores")
    (214748364800.0, 0.25)
    """
    if unit == to:
        return float(value)
    for family in _FAMILIES:
        if unit in family and to in family:
            return value * family[unit] / family[to]
    raise InputError(f"{unit or 'a plain number'} is not counted in {to or 'pieces'}", field="unit")


def quantity(text: str) -> tuple[float, str]:
    """A number and the unit written behind it, "" where there is none.

    >>> quantity("200GiB"), quantity("1.5e3"), quantity("250m")
    ((200.0, 'GiB'), (1500.0, ''), (250.0, 'm'))
    """
    found = _QUANTITY.fullmatch(text[:64])
    if found is None or not isfinite(float(found[1])):
        raise InputError(f"{text[:40]!r}: expected a number and a unit, as 200GiB", field="amount")
    return float(found[1]), found[2]


def amount(text: str, unit: str) -> float:
    """What a text says, in a unit; a plain number is in that unit already.

    >>> amount("2GiB", "bytes"), amount("4", "cores")
    (2147483648.0, 4.0)
    """
    value, told = quantity(text)
    return converted(value, told, unit) if told else value


def shown(value: float, unit: str) -> str:
    """An amount as people say it, three digits of it.

    >>> shown(214748364800, "bytes"), shown(0.25, "cores"), shown(180.2, "connections")
    ('200 GiB', '0.25 cores', '180 connections')
    """
    if unit in _BYTES and unit != "%":
        return _in_bytes(converted(value, unit, "bytes"))
    return f"{_digits(value)} {unit}".rstrip()


def _in_bytes(value: float) -> str:
    power = 0
    while abs(value) >= 999.5 and power < 6:
        value, power = value / 1024, power + 1
    return f"{_digits(value)} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[power]}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.3g}"
