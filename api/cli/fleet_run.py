"""Runs over many series, services or rollouts: kept in a folder, with a bar, gone on with."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.flows.fleet_kept import Kept

__all__ = ["Advance", "kept_in", "with_bar"]

Advance = Callable[[int, str], None]


@contextmanager
def kept_in(folder: Path | None, grain_s: float) -> Iterator[tuple[Kept, float]]:
    """Where results are kept, and as of when (unix seconds): as the run began.

    Without a folder they are gone in the end. A run that began more than `grain_s` ago is told.
    """
    now = time.time()
    with (
        tempfile.TemporaryDirectory(prefix="serinus-fleet-") as passing,
        closing(Kept((folder or Path(passing)) / "fleet.db")) as kept,
    ):
        until = float(kept.setting("until", repr(now)))
        if until < now - grain_s:
            began = datetime.fromtimestamp(until, UTC).isoformat(timespec="minutes")
            print(f"goes on with the run of {began}: history is read up to it", file=sys.stderr)
        yield kept, until


@contextmanager
def with_bar(what: str, of: int) -> Iterator[Advance]:
    """A bar on standard error; it hears how many are done with, and what is to stand before it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=of)

        def advance(done: int, text: str) -> None:
            bar.update(task, completed=done, description=text)

        yield advance
