"""The configuration of logs and traces that are taken; no web framework is needed to read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from api.follow_settings import FollowSection
from api.loki_settings import LokiSection
from api.section import Count, Seconds, Section
from api.syslog_settings import SyslogSection

if TYPE_CHECKING:
    from pipelines.flows.logs_open import LogBounds

__all__ = ["LogsSection"]


class LogsSection(Section):
    """What is kept of logs and traces: `tenant` is whose counters the gate judges by."""

    enabled: bool = True
    tenant: str = "default"
    templates: Annotated[int, Field(ge=100)] = 100_000
    counters: Count = 20_000
    rates: Count = 5_000
    behind_s: Seconds = 3_600.0
    keep_hours: Annotated[float, Field(ge=1)] = 48.0
    keep_days: Annotated[float, Field(ge=1)] = 30.0
    mappings: tuple[Path, ...] = ()
    files: FollowSection = FollowSection()
    syslog: SyslogSection = SyslogSection()
    loki: LokiSection = LokiSection()

    def native(self) -> LogBounds:
        """The same in the words of the flow."""
        from pipelines.flows.logs_open import LogBounds

        return LogBounds(
            templates=self.templates,
            counters=self.counters,
            rates=self.rates,
            behind_s=self.behind_s,
            keep_hours=self.keep_hours,
            keep_days=self.keep_days,
        )
