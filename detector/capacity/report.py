"""A report: what was found of many resources, the most urgent first, and what to do by when."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from detector.capacity.assessed import Assessment
from detector.errors import InputError

__all__ = ["SCHEMA", "LeftOut", "Report", "of_json", "to_json"]

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A resource, or what could have been one, that is not told of, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found at `made_at` (unix ms) for the next `horizon_s` seconds.

    `scope`: of what, in words. `summary`: sentences for who reads no more than these.
    """

    made_at: int
    horizon_s: int
    scope: str
    assessments: tuple[Assessment, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    what_if: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: int
    report: Report


class _Schema(msgspec.Struct, frozen=True, kw_only=True):
    schema: int


def to_json(report: Report) -> bytes:
    """A report as it is kept: JSON under a schema number."""
    return msgspec.json.encode(_Kept(schema=SCHEMA, report=report))


def of_json(body: bytes | str) -> Report:
    """The report of `to_json`, equal to it; `InputError` for what is none, or of another schema."""
    try:
        found = msgspec.json.decode(body, type=_Schema).schema
        if found != SCHEMA:
            raise InputError(
                f"the report has schema {found}, this reads {SCHEMA}", field="schema", semantic=True
            )
        return msgspec.json.decode(body, type=_Kept).report
    except msgspec.DecodeError as error:
        raise InputError(f"not a capacity report: {error}", field="report") from None
