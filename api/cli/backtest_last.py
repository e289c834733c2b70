"""The last rollouts, found without a list: in the store, else in the source."""

from __future__ import annotations

import time
from collections.abc import Sequence

from api.settings import Settings
from detector.errors import InputError
from detector.gate.backtest import PastRollout
from pipelines.flows.backtest_found import stored_rollouts
from pipelines.flows.backtest_jobs import Opening

__all__ = ["last_rollouts"]


def last_rollouts(
    most: int, settings: Settings, opening: Opening, service: str | None, namespace: str | None
) -> Sequence[PastRollout]:
    """The newest rollouts that are over, oldest first; `InputError` where none is found."""
    from api.compose import DATABASE, open_records

    found: list[PastRollout] = []
    if (settings.data / DATABASE).is_file():
        opened = open_records(settings.data)
        try:
            found = stored_rollouts(opened.stores, most=most, now=time.time(), service=service)
        finally:
            opened.close()
    if not found:
        raise InputError(
            f"no rollout that is over is remembered in {settings.data}: give --data the directory"
            " of `serinus serve`, or --rollouts a list",
            field="last",
        )
    return found
