"""Who calls whom, as workers had it in their last checkpoints."""

from __future__ import annotations

from itertools import groupby

import sqlalchemy as sa

from detector.spans.joined import joined, of_service
from detector.spans.topology import Graph
from detector.stream.chunks import joined as whole
from pipelines.stores import schema
from pipelines.stores.codec import unpack
from pipelines.stores.connections import Connections
from pipelines.stores.statements import compiled

__all__ = ["GRAPH", "graph_of"]

# The array of a checkpoint that has it.
GRAPH = "graph.told"
# What is older than another part's newest span by so much is of a part that nobody writes to now.
_APART_MS = 900_000
_chunks = schema.stream_chunks.c
_GRAPHS = compiled(
    sa.select(_chunks.part, _chunks.body)
    .where(_chunks.tenant == sa.bindparam("tenant"), _chunks.name == GRAPH)
    .order_by(_chunks.part, _chunks.chunk)
)


def graph_of(database: Connections, tenant: str, service: str | None) -> Graph | None:
    """Of all parts, or what is around a service; None without any."""
    with database.read() as looks:
        rows = looks.rows(_GRAPHS, {"tenant": tenant})
    bodies = (whole(body for _, body in some) for _, some in groupby(rows, lambda row: row[0]))
    graphs = [unpack(Graph, body.tobytes()) for body in bodies]
    newest = max((one.until for one in graphs), default=0)
    found = joined([one for one in graphs if one.until >= newest - _APART_MS])
    return found if found is None or service is None else of_service(found, service)
