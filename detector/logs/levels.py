"""A template that is known at slighter levels is another one when it comes as an error."""

from __future__ import annotations

from detector.logs.lines import Level
from detector.logs.state import LogState

__all__ = ["level_before", "name_at", "row_at"]

# After the name of such a one.
_AS_ERROR = "!"


def row_at(state: LogState, service: int, name: str, level: int) -> int | None:
    """The row of a template in lines of a level, or None where it is new at that.

    What was known without a level has from now on the one that it comes with.
    """
    row, rows = state.rows.numbers.get((service, name)), state.rows
    as_error = rows.numbers.get((service, name + _AS_ERROR)) if level >= Level.ERROR else None
    if as_error is not None or row is None:
        return as_error
    if rows["level"][row] == Level.UNKNOWN:
        rows["level"][row] = level
    return row if level < Level.ERROR or rows["level"][row] >= Level.ERROR else None


def name_at(state: LogState, service: int, name: str) -> str:
    """What is to be known by this name when `row_at` has no row for it."""
    return name + _AS_ERROR if (service, name) in state.rows.numbers else name


def level_before(state: LogState, row: int) -> str:
    """The level at which an error's template is known beside it, or nothing."""
    name, service = state.rows.words["name"][row], int(state.rows["service"][row])
    beside = state.rows.numbers.get((service, name.removesuffix(_AS_ERROR)))
    return "" if beside in (None, row) else Level(int(state.rows["level"][beside])).name
