"""Templates as they are kept and asked for: whose they are, how often, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from detector.logs.lines import Level

__all__ = [
    "Found",
    "KeptTemplate",
    "ServiceLines",
    "TemplateFilter",
    "TemplateOrder",
    "TemplatePage",
    "TemplateStore",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTemplate:
    """A template in one service at one level.

    `first` and `last` are times of its lines, `came` is when the first of them came in, all in
    unix milliseconds. `days`: lines by day since 1970-01-01. Text and sample are fit to be shown.
    """

    id: str
    service: str
    level: Level
    text: str
    sample: str
    came: int
    first: int
    last: int
    count: int
    days: Mapping[int, int] = field(default_factory=dict)


# What is to be added to what is kept has the same parts.
Found = KeptTemplate


class TemplateOrder(Enum):
    """Those that came last first; or errors before others, of each the most frequent first."""

    NEWEST = "newest"
    GRAVEST = "gravest"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFilter:
    """Which templates are asked for. `since`: came in at or after, in unix milliseconds.

    `text`: its text has this in it, whatever the case. `ids`: only these. `after` is the cursor of
    the page before, in the same order.
    """

    tenant: str
    service: str | None = None
    level: Level = Level.UNKNOWN
    text: str | None = None
    since: int | None = None
    after: str | None = None
    limit: int = 50
    ids: tuple[str, ...] | None = None
    order: TemplateOrder = TemplateOrder.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLines:
    """What a service writes into its logs, in short; times in unix milliseconds.

    `grave`: lines at level error and above. `came`: when its first template came in here.
    """

    service: str
    templates: int
    lines: int
    grave: int
    came: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePage:
    """Some templates, in the order that was asked for; `after` where there are more."""

    templates: Sequence[KeptTemplate]
    after: str | None = None


class TemplateStore(Protocol):
    """Templates that are kept; every method raises `StoreError` when the store fails."""

    def list(self, wanted: TemplateFilter) -> TemplatePage:
        """In the order that is asked for, one page; `InputError` for a cursor that is none."""
        ...

    def get(self, tenant: str, id: str) -> Sequence[KeptTemplate]:
        """One template, for each service and level that has it; `NotFoundError`."""
        ...

    def services(
        self, tenant: str, *, service: str | None = None, most: int = 500
    ) -> Sequence[ServiceLines]:
        """What services write, or one of them, those with lines lately first."""
        ...
