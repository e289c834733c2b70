"""Fakes and fault servers: what our own tests and the authors of plug-ins test against.

`FakeSource` answers both source ports from memory and fails on demand. `FixedDiscovery` binds
signals and asks nobody. `FaultServer` is a real HTTP server that misbehaves on demand.
`exposition` turns the text of a scrape into label sets.
Nothing here needs a test framework.
"""

from __future__ import annotations

from pipelines.testing.discovery import FixedDiscovery
from pipelines.testing.exposed import exposition
from pipelines.testing.fake import FakeSource, Fault, RecordedRead
from pipelines.testing.replies import Misbehaviour
from pipelines.testing.server import FaultServer, RecordedRequest

__all__ = [
    "FakeSource",
    "Fault",
    "FaultServer",
    "FixedDiscovery",
    "Misbehaviour",
    "RecordedRead",
    "RecordedRequest",
    "exposition",
]
