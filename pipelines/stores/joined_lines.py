"""Templates and own counters of two databases as one: of this process, and of workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from detector.errors import NotFoundError
from detector.logs.counted import Template
from detector.logs.kept import (
    KeptTemplate,
    ServiceLines,
    TemplateFilter,
    TemplateOrder,
    TemplatePage,
)
from detector.logs.lines import Level
from pipelines.stores.own import Frame, OwnSeries, SqlOwn
from pipelines.stores.templates import SqlTemplates
from pipelines.stores.templates_asked import cursor_after

__all__ = ["JoinedOwn", "JoinedTemplates"]


@dataclass(frozen=True, slots=True)
class JoinedTemplates:
    """`TemplateStore` over both; what is deleted is so in the first alone.

    A template that both have in a service is two in a list, and one where it is asked for.
    """

    first: SqlTemplates | JoinedTemplates
    second: SqlTemplates

    def list(self, wanted: TemplateFilter) -> TemplatePage:
        """See `TemplateStore`."""
        pages = self.first.list(wanted), self.second.list(wanted)
        every = [one for page in pages for one in page.templates]
        every.sort(key=lambda one: _place(one, wanted.order))
        is_more = len(every) > wanted.limit or any(page.after is not None for page in pages)
        page = every[: wanted.limit]
        after = cursor_after(page[-1], wanted.order) if is_more and page else None
        return TemplatePage(templates=page, after=after)

    def get(self, tenant: str, id: str) -> Sequence[KeptTemplate]:
        """See `TemplateStore`."""
        found: dict[tuple[str, Level], KeptTemplate] = {}
        for store in (self.first, self.second):
            try:
                more = store.get(tenant, id)
            except NotFoundError:
                continue
            for one in more:
                key = one.service, one.level
                found[key] = _both(found[key], one) if key in found else one
        if not found:
            raise NotFoundError(f"there is no template {id!r}")
        return [found[key] for key in sorted(found)]

    def services(
        self, tenant: str, *, service: str | None = None, most: int = 500
    ) -> tuple[ServiceLines, ...]:
        """See `TemplateStore`; a template of a service that both have is counted twice."""
        found: dict[str, ServiceLines] = {}
        for store in (self.first, self.second):
            for one in store.services(tenant, service=service, most=most):
                was = found.get(one.service)
                found[one.service] = one if was is None else _together(was, one)
        every = sorted(found.values(), key=lambda one: (-one.last, one.service))
        return tuple(every[:most])

    def texts(self, tenant: str, ids: Sequence[str]) -> dict[str, Template]:
        """See `TemplateTexts`."""
        return {**self.second.texts(tenant, ids), **self.first.texts(tenant, ids)}

    def prune(self, before: int) -> int:
        """Of the first: workers do it for their own."""
        return self.first.prune(before)

    def shrink(self, tenant: str, *, most: int) -> int:
        """Of the first, as well."""
        return self.first.shrink(tenant, most=most)


@dataclass(frozen=True, slots=True)
class JoinedOwn:
    """The counters of both; parts of the one are called otherwise than those of the other."""

    first: SqlOwn | JoinedOwn
    second: SqlOwn

    def parts(self) -> list[tuple[str, str]]:
        """Parts and tenants that have counters."""
        return [*self.first.parts(), *self.second.parts()]

    def step_ms(self, part: str) -> int:
        """At which step the counters of a part are kept, in milliseconds."""
        return self._of(part).step_ms(part)

    def series(self, part: str, tenant: str, *, above: int = -1) -> list[OwnSeries]:
        """Those with ids above one, in order."""
        return self._of(part).series(part, tenant, above=above)

    def frames(self, part: str, tenant: str, since: int, until: int) -> list[Frame]:
        """As `SqlOwn` does."""
        return self._of(part).frames(part, tenant, since, until)

    def newest(self, part: str, tenant: str) -> int:
        """The time of the last frame, 0 without any."""
        return self._of(part).newest(part, tenant)

    def prune(self, *, frames_before: int, series_before: int) -> int:
        """Of the first: workers do it for their own."""
        return self.first.prune(frames_before=frames_before, series_before=series_before)

    def _of(self, part: str) -> SqlOwn | JoinedOwn:
        """Parts of workers are called by a topic and a number."""
        name = part.removesuffix("/spans")
        return self.second if "/" in name else self.first


def _place(one: KeptTemplate, order: TemplateOrder) -> tuple[object, ...]:
    last = (one.id, one.service, int(one.level))
    if order is TemplateOrder.GRAVEST:
        return (-int(one.level >= Level.ERROR), -one.count, *last)
    return (-one.came, *last)


def _both(one: KeptTemplate, other: KeptTemplate) -> KeptTemplate:
    days = {day: one.days.get(day, 0) + other.days.get(day, 0) for day in {*one.days, *other.days}}
    return replace(
        one,
        sample=one.sample or other.sample,
        came=min(one.came, other.came),
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        count=one.count + other.count,
        days=dict(sorted(days.items())),
    )


def _together(one: ServiceLines, other: ServiceLines) -> ServiceLines:
    return ServiceLines(
        service=one.service,
        templates=one.templates + other.templates,
        lines=one.lines + other.lines,
        grave=one.grave + other.grave,
        came=min(one.came, other.came),
        last=max(one.last, other.last),
    )
