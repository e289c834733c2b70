"""`/scans`: what scanners found in revisions; of one revision all of it, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.context import Context, In
from api.receiving import tenant_of
from api.ui.marked import shortened
from api.ui.rendering import Base, html, shown
from api.ui.scan_view import (
    FindingRow,
    ScanRow,
    Standing,
    found_rows,
    revision_title,
    scan_row,
    send_command,
    standing_of,
)
from api.ui.wording import day_clock
from detector.errors import InputError
from detector.scans.ports import ScanFilter
from detector.scans.rule import ScanRule
from detector.scans.scan import Scan, newest

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
# As many of one revision as the gate looks at.
_PER_PAGE, _OF_REVISION, _CARDS = 30, 200, 20
Cursor = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScansView:
    """One page of scans, each with what its revision's mean for a pass."""

    rows: tuple[tuple[ScanRow, Standing], ...]
    words: dict[str, str]
    before: str
    older: str | None
    asks: tuple[str, ...]
    send: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionView:
    """One revision: the newest scan of each tool and target with its findings, and earlier ones."""

    service: str
    revision: str
    title: str
    standing: Standing
    cards: tuple[tuple[ScanRow, tuple[FindingRow, ...]], ...]
    more: int
    earlier: tuple[ScanRow, ...]
    send: str
    now: str


@router.get("/scans")
async def scans(
    request: Request,
    context: In,
    base: Base,
    service: Annotated[str, Query(max_length=512)] = "",
    revision: Annotated[str, Query(max_length=512)] = "",
    before: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, newest first."""
    tenant, both = tenant_of(request), (service.strip(), revision.strip())
    if all(both):
        return await shown(context, lambda: _revision(context, tenant, *both, base))
    return await shown(context, lambda: _listed(context, tenant, *both, before, base))


def _listed(
    context: Context, tenant: str, service: str, revision: str, before: str, base: str
) -> Response:
    wanted = ScanFilter(
        tenant=tenant,
        service=service or None,
        revision=revision or None,
        after=_cursor(before),
        limit=_PER_PAGE + 1,
    )
    found, now, rules = context.gate.scans.list(wanted), context.clock(), _rules(context)
    page = found[:_PER_PAGE]
    asked = {(scan.service, scan.revision) for scan in page}
    known = {one: _of_revision(context, tenant, *one) for one in asked}
    rows = []
    for scan in page:
        mine = known[scan.service, scan.revision]
        rows.append((scan_row(scan, mine, now), standing_of(rules, scan.revision, mine, now)))
    every = {"service": service, "revision": revision}
    view = ScansView(
        rows=tuple(rows),
        words={name: word for name, word in every.items() if word},
        before=before,
        older=f"{page[-1].at}.{page[-1].id}" if len(found) > len(page) else None,
        asks=tuple(shortened(name, 60) for name, _ in rules),
        send=send_command(base, service or "checkout", revision or "v42"),
        now=day_clock(now),
    )
    return html("scans.html", view=view)


def _revision(context: Context, tenant: str, service: str, revision: str, base: str) -> Response:
    found, now = _of_revision(context, tenant, service, revision), context.clock()
    last = sorted(newest(found), key=_gravity)
    shown_ids = {scan.id for scan in last}
    earlier = [scan for scan in found if scan.id not in shown_ids]
    view = RevisionView(
        service=service,
        revision=revision,
        title=revision_title(service, revision),
        standing=standing_of(_rules(context), revision, found, now),
        cards=tuple(
            (scan_row(scan, found, now), found_rows(scan.findings)) for scan in last[:_CARDS]
        ),
        more=max(0, len(last) - _CARDS),
        earlier=tuple(scan_row(scan, found, now) for scan in earlier[:_PER_PAGE]),
        send=send_command(base, service, revision),
        now=day_clock(now),
    )
    return html("scan.html", view=view)


def _gravity(scan: Scan) -> list[int]:
    """Whose findings are gravest comes first."""
    return [-count for _, count in scan_row(scan, (), 0.0).counts]


def _of_revision(context: Context, tenant: str, service: str, revision: str) -> Sequence[Scan]:
    wanted = ScanFilter(tenant=tenant, service=service, revision=revision, limit=_OF_REVISION)
    return context.gate.scans.list(wanted)


def _rules(context: Context) -> tuple[tuple[str, ScanRule], ...]:
    """What policies ask of scans, by their names."""
    every = (version.policy for version in context.gate.people.policies())
    return tuple((one.name, one.scans) for one in every if one.scans is not None)


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    at, _, id = text.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < 19 and id):
        raise InputError(f"before: {text[:40]!r} is no cursor of this list", field="before")
    return int(at), id
