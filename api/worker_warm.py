"""What counts lines and spans, made ready before a worker joins its group: the others wait then."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.worker_judges import Judges

__all__ = ["warm_counted"]

_WARM = "warm"


def warm_counted(judges: Judges) -> None:
    """Load, or compile, all that a message of logs and one of traces meet on their way."""
    from api.compiling import messages_of
    from pipelines.flows.worker_part import Unit, WorkerPart
    from pipelines.stores.sqlite import Database
    from pipelines.stores.worker_parts import WorkerPartStore
    from pipelines.topics.port import Message, Partition

    now = time.time_ns()
    _, logs, spans = messages_of(now)
    with (
        tempfile.TemporaryDirectory(prefix="serinus-") as folder,
        closing(Database(Path(folder) / "warm.db")) as database,
    ):
        for unit, body in ((Unit.LINES, logs), (Unit.SPANS, spans)):
            store = WorkerPartStore(database, unit.value, _WARM)
            part = WorkerPart(store, judges.plain(unit, store, database))
            part.take(lambda: 0)
            # What the second one ends is counted when the third comes.
            for offset in range(3):
                part.apply(
                    Message(
                        partition=Partition(_WARM, 0),
                        offset=offset,
                        at=now // 1_000_000 + 60_000 * offset,
                        key=None,
                        value=body,
                    )
                )
            part.checkpoint()
