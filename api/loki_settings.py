"""What is said in the configuration of lines that are read from a Loki."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from api.access_settings import AuthSettings, BudgetSettings
from api.section import Count, Seconds, Section, TlsSettings
from detector.errors import InputError
from pipelines.sources.settings import SourceSettings

__all__ = ["LokiSection"]


class LokiSection(Section):
    """Lines that are read from a Loki, for those who cannot push them."""

    url: str = "http://127.0.0.1:3100"
    auth: AuthSettings = AuthSettings()
    tls: TlsSettings = TlsSettings()
    budget: BudgetSettings = BudgetSettings()
    params: dict[str, str] = Field(default_factory=dict)
    allow_hosts: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"
    interval_s: Seconds = 5.0
    timeout_s: Seconds = 20.0
    settle_s: Annotated[float, Field(ge=0)] = 15.0
    first_s: Annotated[float, Field(ge=0)] = 0.0
    page_lines: Annotated[Count, Field(le=100_000)] = 5_000

    @model_validator(mode="after")
    def selects(self) -> LokiSection:
        """Each of its selectors is one, and none is named twice."""
        if not self.selectors:
            return self
        from pipelines.ingest.log_pull import checked_selector

        try:
            checked = [checked_selector(text) for text in self.selectors]
        except InputError as error:
            raise ValueError(str(error)) from error
        if len(set(checked)) < len(checked):
            raise ValueError("a selector is there twice: its lines would be counted twice")
        return self

    def native(self) -> SourceSettings:
        """Where it is, in the words of the sources; `ConfigError` for an URL that is none."""
        return SourceSettings(
            kind="loki",
            url=self.url,
            auth=self.auth.native(),
            tls=self.tls.native(),
            budget=self.budget.native(),
            gzip=True,
            params=self.params,
            allow_hosts=self.allow_hosts,
        )
