"""What is said of workers in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from api.section import Count, Seconds, Section

if TYPE_CHECKING:
    from pipelines.flows.worker import Pace
    from pipelines.flows.worker_share import ShareSettings

__all__ = ["WorkerSection"]


class WorkerSection(Section):
    """A worker: where it tells how it is, where it begins to read, how long it waits.

    `name` is what people see; the machine's and the process' number where it is not given.
    """

    name: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8081
    begin: Literal["earliest", "latest"] = "earliest"
    when_gone: Literal["stop", "earliest", "latest"] = "stop"
    checkpoint_s: Seconds = 60.0
    tell_s: Seconds = 1.0
    room_mb: Count = 64
    start_s: Seconds = 120.0
    drain_s: Seconds = 20.0

    def pace(self) -> Pace:
        """Times and bounds in the words of the worker."""
        from pipelines.flows.worker import Pace

        return Pace(
            checkpoint_s=self.checkpoint_s,
            tell_s=self.tell_s,
            room_bytes=self.room_mb * 2**20,
            start_s=self.start_s,
            drain_s=self.drain_s,
        )

    def share(self) -> ShareSettings:
        """Where it begins in the words of the worker."""
        from pipelines.flows.worker_share import ShareSettings, WhenGone
        from pipelines.topics.port import Begin

        return ShareSettings(begin=Begin(self.begin), when_gone=WhenGone(self.when_gone))
