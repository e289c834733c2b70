"""What is bound of one kind of resource on a source, query by query, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.capacity.packs.fill import rated
from detector.capacity.packs.schema import CapacityPack, Driver, Fold, Measured
from detector.capacity.resource import Resource
from detector.errors import SourceError
from detector.series import FloatArray
from pipelines.capacity.choosing import matched
from pipelines.capacity.grid import Grid, Labels, folded, grid_of, rows_of, whole
from pipelines.capacity.ranges import Ranges
from pipelines.capacity.wanted import Wanted

__all__ = ["Asking", "Part", "lacking", "parts_beside", "refused", "usage_part"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One query of a resource: its `query`, and of how many resources it is known.

    `low` to `high`: what it says of them now. `why` it is not known of all, "" where it is.
    """

    name: str
    query: str | float
    bound: int = 0
    low: float | None = None
    high: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked, and for what at most."""

    ranges: Ranges
    names: frozenset[str]
    wanted: Wanted
    as_of: float
    bound_s: float

    @property
    def now(self) -> Grid:
        """The last whole hour."""
        return replace(grid_of(self.as_of, 1), count=1)

    def rows(self, query: str) -> dict[Labels, FloatArray]:
        """What a query says of it."""
        now = self.now
        answer = self.ranges.ranged(query, now.end, now.end, step_s=3600.0, timeout_s=self.bound_s)
        return rows_of(whole(answer), now)


def lacking(needs: Sequence[str], names: frozenset[str]) -> str:
    """Which metrics are needed and not there, "" where all are."""
    gone = [metric for metric in needs if metric not in names]
    return f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} not there" if gone else ""


def refused(error: SourceError) -> str:
    """What the source says of a query; `SourceError` again where it was not the query."""
    if error.retryable:
        raise error
    return str(error)


def usage_part(query: str, read: Sequence[Resource]) -> Part:
    """The usage of what was read."""
    last = [float(one.usage.values[-1]) for one in read]
    return Part(name="usage", query=query, bound=len(read), low=min(last), high=max(last))


def parts_beside(
    pack: CapacityPack, one: Measured, asking: Asking, read: Sequence[Resource]
) -> Iterator[Part]:
    """Limit, requests, replicas and the loads: of how many of the resources each is known."""
    mine = [frozenset(each.labels.items()) for each in read]
    limit = asking.wanted.limits.get(f"{pack.name}.{one.name}", one.limit)
    if limit is None:
        named = f"{pack.name}.{one.name}"
        why = f"the pack has none: no date is told unless capacity.limits sets {named}"
        yield Part(name="limit", query="", why=why)
    elif isinstance(limit, str):
        yield _part("limit", limit, mine, asking)
    else:
        yield Part(name="limit", query=limit, bound=len(mine), low=limit, high=limit)
    for name in ("requested", "replicas"):
        query = getattr(one, name)
        if query is not None:
            yield _part(name, query, mine, asking)
    if one.driven:
        yield from _loads(pack.drivers, mine, asking)


def _loads(drivers: Sequence[Driver], mine: Sequence[Labels], asking: Asking) -> Iterator[Part]:
    """The first load that the source has, as an assessment takes it; else why each is none."""
    tried = []
    for driver in drivers:
        name, query = f"driver {driver.name}", rated(driver.query, asking.wanted.rate_s)
        gone = lacking(driver.needs, asking.names)
        part = (
            Part(name=name, query=query, why=gone)
            if gone
            else _part(name, folded(query, Fold.MEAN, 3600), mine, asking, shown=query)
        )
        if part.bound:
            yield part
            return
        tried.append(part)
    yield from tried


def _part(
    name: str, query: str, mine: Sequence[Labels], asking: Asking, *, shown: str = ""
) -> Part:
    query = rated(query, asking.wanted.rate_s)
    try:
        rows = asking.rows(query)
    except SourceError as error:
        return Part(name=name, query=shown or query, why=refused(error))
    found = [row for labels in mine if (row := matched(rows, labels)) is not None]
    values = [float(row[-1]) for row in found if row[-1] > 0 or (row[-1] == 0 and name != "limit")]
    return Part(
        name=name,
        query=shown or query,
        bound=len(values),
        low=min(values, default=None),
        high=max(values, default=None),
        why="" if len(values) == len(mine) else _apart(rows, mine, len(values)),
    )


def _apart(rows: Mapping[Labels, FloatArray], mine: Sequence[Labels], bound: int) -> str:
    """Why the series of a query are not those of the resources."""
    if not rows:
        return "gives no series now"
    if bound:
        return "the others have none that is above 0"
    theirs, own = (_labels(some) for some in (rows, mine))
    more = sorted(theirs - own)
    if more:
        return f"has labels that usage has not: {', '.join(more)}; aggregate both by the same"
    return "its series have other values of labels than usage, or several fit, or none is above 0"


def _labels(some: Mapping[Labels, FloatArray] | Sequence[Labels]) -> set[str]:
    return {name for labels in some for name, _ in labels}
