"""What workers counted of services, read from their checkpoints by who owns no part of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from numpy.typing import NDArray

from detector.stream.chunks import joined
from pipelines.stores import schema
from pipelines.stores.connections import Connections
from pipelines.stores.statements import compiled
from pipelines.stores.worker_parts import PartProgress, progress_of

__all__ = ["CELLS", "COUNTED", "SqlPartCounts"]

# Which services there are; and that with what they counted, and labels.
CELLS = ("tally.cells", "tally.cells.ends")
COUNTED = (
    *CELLS,
    "tally",
    *(f"tally.{name}" for name in ("running", "believed", "ring", "rules")),
    *(f"tally.{name}" for name in ("series", "last", "seen", "cell", "is_delta")),
    *(f"label.{name}" for name in ("schema", "unit", "units", "letters", "ends")),
    *(f"label.{name}" for name in ("words", "starts", "kinds")),
)
_chunks = schema.stream_chunks.c
_OWN = (
    _chunks.part == sa.bindparam("part"),
    _chunks.tenant == sa.bindparam("tenant"),
)


def _among(names: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return sa.or_(*(_chunks.name == name for name in names))


_OF_CELLS = compiled(
    sa.select(_chunks.name, _chunks.body)
    .where(*_OWN, _among(CELLS))
    .order_by(_chunks.name, _chunks.chunk)
)
_OF_COUNTED = compiled(
    sa.select(_chunks.name, _chunks.body)
    .where(*_OWN, _among(COUNTED))
    .order_by(_chunks.name, _chunks.chunk)
)
_SIZE = compiled(sa.select(sa.func.sum(sa.func.length(_chunks.body))).where(*_OWN, _among(COUNTED)))


class SqlPartCounts:
    """Looks only; each answer is of one checkpoint, whatever is written meanwhile."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def parts(self) -> list[PartProgress]:
        """All parts of workers."""
        return progress_of(self._db)

    def cells(self, part: str, tenant: str) -> dict[str, NDArray[Any]]:
        """The arrays that tell which services are counted; empty where none are."""
        with self._db.read() as looks:
            return _arrays(looks.rows(_OF_CELLS, {"part": part, "tenant": tenant}))

    def size(self, part: str, tenant: str) -> int:
        """Bytes of what `counted` reads."""
        with self._db.read() as looks:
            row = looks.first(_SIZE, {"part": part, "tenant": tenant})
        return 0 if row is None or row[0] is None else int(row[0])

    def counted(self, part: str, tenant: str) -> dict[str, NDArray[Any]]:
        """The arrays of what was counted, and of the labels of series."""
        with self._db.read() as looks:
            return _arrays(looks.rows(_OF_COUNTED, {"part": part, "tenant": tenant}))


def _arrays(rows: Sequence[tuple[Any, ...]]) -> dict[str, NDArray[Any]]:
    bodies: dict[str, list[bytes]] = {}
    for name, body in rows:
        bodies.setdefault(name, []).append(bytes(body))
    return {name: joined(own) for name, own in bodies.items()}
