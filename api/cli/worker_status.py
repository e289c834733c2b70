"""`serinus worker status`: how far all partitions are, from PostgreSQL and Kafka."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.guard import Code
from api.cli.worker_run import settings_with
from detector.errors import BrokerError, ConfigError

if TYPE_CHECKING:
    from api.settings import Settings
    from pipelines.stores.worker_parts import PartProgress
    from pipelines.topics.port import Partition, Span

__all__ = ["Row", "as_text", "rows_of", "status"]

# A part that was not kept for so many times of what is usual stands still.
_LATE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A partition; None where it is not known, times in seconds before now."""

    part: str
    worker: str | None
    lag: int | None
    age_s: float | None
    kept_s: float | None
    words: str

    @property
    def is_well(self) -> bool:
        """Whether somebody reads it, and keeps what it finds."""
        return not self.words


def status(
    config: Path | None, *, servers: Sequence[str] | None, store: str | None, as_json: bool
) -> int:
    """Print a line for each partition; 1 where one stands still."""
    settings = settings_with(config, servers=servers, store=store)
    if settings.store is None:
        raise ConfigError("set store to the PostgreSQL of the workers: postgresql://user@host/name")
    from pipelines.stores.postgres import PostgresDatabase
    from pipelines.stores.worker_parts import progress_of

    with closing(PostgresDatabase(settings.store.get_secret_value())) as database:
        progress = progress_of(database)
    spans, words = _spans(settings)
    rows = rows_of(progress, spans, now=time.time(), every_s=settings.worker.checkpoint_s)
    if as_json:
        print(json.dumps({"kafka": words or "answers", "partitions": [_told(r) for r in rows]}))
    else:
        print(as_text(rows, words))
    return Code.PASS if rows and all(row.is_well for row in rows) and not words else Code.FAIL


def _spans(settings: Settings) -> tuple[Mapping[Partition, Span], str]:
    """What the log holds of all partitions that are read; why not, where Kafka does not say."""
    from pipelines.topics.kafka_admin import KafkaAdmin
    from pipelines.topics.port import Partition

    try:
        with closing(KafkaAdmin(settings.kafka.native())) as admin:
            topics = admin.describe(settings.kafka.read).values()
            every = [Partition(one.name, n) for one in topics for n in range(one.partitions)]
            return admin.spans(every), ""
    except BrokerError as error:
        return {}, str(error)


def rows_of(
    progress: Sequence[PartProgress],
    spans: Mapping[Partition, Span],
    *,
    now: float,
    every_s: float,
) -> list[Row]:
    """A row for each partition that somebody keeps, or that the log has."""
    kept = {one.part: one for one in progress}
    ends = {f"{one.topic}/{one.number}": span.end for one, span in spans.items()}
    parts = sorted(kept.keys() | ends.keys(), key=_in_order)
    return [_row(part, kept.get(part), ends.get(part), now, every_s) for part in parts]


def _in_order(part: str) -> tuple[str, int]:
    topic, _, number = part.rpartition("/")
    return topic, int(number) if number.isdigit() else 0


def _row(part: str, kept: PartProgress | None, end: int | None, now: float, every_s: float) -> Row:
    if kept is None:
        return Row(
            part=part, worker=None, lag=end, age_s=None, kept_s=None, words="nobody has taken it"
        )
    lag = None if end is None else max(end - kept.position - 1, 0)
    since = kept.wrote_at or kept.taken_at
    is_late = bool(lag) and now - since > _LATE * every_s
    late = f"behind, and not kept for {now - since:.0f} s: is its worker alive?" if is_late else ""
    return Row(
        part=part,
        worker=kept.worker,
        lag=lag,
        age_s=None if kept.newest is None else now - kept.newest / 1000,
        kept_s=None if kept.wrote_at is None else now - kept.wrote_at,
        words=kept.words or late,
    )


def as_text(rows: Sequence[Row], words: str) -> str:
    """A table for people."""
    if not rows:
        return f"no partition is known: {words or 'has a worker ever run with this database?'}"
    columns: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("PARTITION", lambda row: row.part),
        ("WORKER", lambda row: row.worker or "-"),
        ("LAG", lambda row: "?" if row.lag is None else f"{row.lag:,}"),
        ("DATA IS", lambda row: _span(row.age_s)),
        ("KEPT", lambda row: _span(row.kept_s)),
        ("", lambda row: row.words),
    )
    table = [[name for name, _ in columns]]
    table += [[told(row) for _, told in columns] for row in rows]
    widths = [max(len(line[n]) for line in table) for n in range(len(columns))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in table]
    return "\n".join([*(line.rstrip() for line in lines), *([f"Kafka: {words}"] if words else [])])


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def _told(row: Row) -> dict[str, Any]:
    return {
        "partition": row.part,
        "worker": row.worker,
        "lag_messages": row.lag,
        "data_age_s": row.age_s,
        "kept_s_ago": row.kept_s,
        "problem": row.words or None,
    }
