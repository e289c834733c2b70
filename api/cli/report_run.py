"""`serinus report capacity`: read, assessed, shown, written and kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from api.capacity import capacity_reader
from api.cli.changing import console_of
from api.cli.moments import span_of
from api.cli.report_text import print_report
from api.cli.serving import settings_of
from api.compose import DATABASE, open_records, source_of
from api.reporting import wall_of
from api.reports.forms import form_of, write
from api.reports.gist import gist_of
from api.reports.words import Wall
from api.settings import Settings
from detector.capacity.report import Report, to_json
from detector.capacity.whatif import parse
from detector.errors import InputError
from detector.ports import Stores
from pipelines.capacity.ranges import open_ranges
from pipelines.flows.spread import Places
from pipelines.reports.keeping import Archive
from pipelines.reports.making import Making, Order
from pipelines.stores.memory import memory_stores

__all__ = ["Asked", "capacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted, as it was typed."""

    services: tuple[str, ...]
    team: str
    every: bool
    horizon: str
    what_if: tuple[str, ...]
    out: tuple[Path, ...]
    keep: bool
    jobs: int
    as_json: bool

    def order(self, now: float) -> Order:
        """What is to be made; `InputError` names the option before anything is read."""
        if self.every == bool(self.services or self.team):
            raise InputError("give --service NAME, --team NAME, or --all", field="service")
        for file in self.out:
            form_of(file)
        for text in self.what_if:
            parse(text, now=round(1000 * now))
        return Order(
            horizon_s=round(span_of(self.horizon, "horizon")),
            services=self.services,
            team=self.team,
            what_if=self.what_if,
        )


def capacity(
    asked: Asked,
    *,
    config: Path | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
) -> int:
    """Make the report, then show it; 0 once it is made."""
    now = time.time()
    order, settings = asked.order(now), settings_of(config, prometheus, flags)
    wall = wall_of(settings)
    with _records(settings) as stores:
        archive = None if stores is None else Archive(store=stores.reports)
        report = _made(asked, order, settings, stores or memory_stores(), archive, now)
        _shown(report, wall, asked)
        for file in asked.out:
            write(report, file, wall, browser=settings.reports.browser)
            print(f"written: {file}", file=sys.stderr)
        if asked.keep and archive is not None:
            kept = archive.keep(report, title=gist_of(report, wall)[0])
            print(f"kept as {kept.id}" if kept else "kept before", file=sys.stderr)
    return 0


def _made(
    asked: Asked,
    order: Order,
    settings: Settings,
    stores: Stores,
    archive: Archive | None,
    now: float,
) -> Report:
    ranges = open_ranges(settings.source.native())
    try:
        making = Making(
            reads=capacity_reader(
                settings,
                source_of(settings),
                stores.changes,
                ranges,
                services=order.services,
                team=order.team,
            ),
            read_s=settings.capacity.read_s,
            prices=settings.capacity.prices.native(),
            places=Places(jobs=asked.jobs),
        )
        if archive is not None:
            making.past = lambda at: archive.past(at, order.scope)
        with Console(file=sys.stderr).status(f"Reading what {order.scope} used"):
            return making.made(order, now)
    finally:
        ranges.close()


def _shown(report: Report, wall: Wall, asked: Asked) -> None:
    if asked.as_json:
        print(to_json(report).decode())
        return
    print_report(console_of(), report, wall)


@contextmanager
def _records(settings: Settings) -> Iterator[Stores | None]:
    """Those of `serinus serve`, for what was changed and said before; None where there are none."""
    place: Path | str = settings.data
    if settings.store is not None:
        place = settings.store.get_secret_value()
    elif not (settings.data / DATABASE).is_file():
        yield None
        return
    opened = open_records(place)
    try:
        yield opened.stores
    finally:
        opened.close()
