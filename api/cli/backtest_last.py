"""The last rollouts, found without a list: in the store, else in the source."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rich.console import Console

from api.cli.backtest_records import remembered
from api.settings import Settings
from detector.backtest.course import PastRollout
from detector.errors import InputError
from pipelines.flows.backtest_found import Found, seen_rollouts, stored_rollouts

__all__ = ["last_rollouts"]

_DAYS = 14.0


def last_rollouts(
    most: int, settings: Settings, service: str | None, namespace: str | None
) -> Sequence[PastRollout]:
    """The newest rollouts that are over, oldest first; `InputError` where none is found.

    Those that the store remembers; where it has none, those whose pods the source remembers.
    """
    found = _stored(settings, most, service)
    if found:
        return found
    seen = _seen(most, settings, service, namespace)
    for words in seen.skipped:
        print(f"serinus: not looked at: {words}", file=sys.stderr)
    if not seen.rollouts:
        raise InputError(
            f"no rollout that is over is remembered in {settings.data}, nor found in the last"
            f" {_DAYS:g} days of the source: give --data the directory of `serinus serve`, or"
            " --rollouts a list",
            field="last",
        )
    return seen.rollouts


def _stored(settings: Settings, most: int, service: str | None) -> Sequence[PastRollout]:
    with remembered(settings) as stores:
        if stores is None:
            return ()
        return stored_rollouts(stores, most=most, now=time.time(), service=service)


def _seen(most: int, settings: Settings, service: str | None, namespace: str | None) -> Found:
    from pipelines.packs import load_packs
    from pipelines.sources.open import open_source

    packs = load_packs(settings.packs)
    source = open_source(settings.source.native(), packs)
    with Console(stderr=True).status("looking for rollouts") as shown:
        return seen_rollouts(
            source,
            packs,
            most=most,
            now=time.time(),
            days=_DAYS,
            service=service,
            namespace=namespace,
            tell=lambda words: shown.update(f"looking for rollouts: {words}"),
        )
