"""How serinus logs in to a source, and how much it asks of it: parts of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from api.section import Count, Section, secret_text, text_of
from pipelines.sources.settings import Auth, Budget

__all__ = ["AuthSettings", "BudgetSettings"]


class AuthSettings(Section):
    """How serinus logs in to the metric source; files are read again for every query."""

    bearer_token: SecretStr | None = None
    bearer_token_file: Path | None = None
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    tenant: str | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)

    def native(self) -> Auth:
        """The same in the words of the sources."""
        return Auth(
            bearer_token=secret_text(self.bearer_token),
            bearer_token_file=text_of(self.bearer_token_file),
            username=self.username,
            password=secret_text(self.password),
            password_file=text_of(self.password_file),
            tenant=self.tenant,
            headers={name: value.get_secret_value() for name, value in self.headers.items()},
        )


class BudgetSettings(Section):
    """How much one read may ask of the metric source."""

    max_concurrent: Count = 4
    max_series: Count = 20_000
    max_samples: Count = 20_000_000
    max_body_mb: Count = 64
    retries: Annotated[int, Field(ge=0, le=10)] = 2

    def native(self) -> Budget:
        """The same in the words of the sources."""
        return Budget(
            max_concurrent=self.max_concurrent,
            max_series=self.max_series,
            max_samples=self.max_samples,
            max_body_bytes=self.max_body_mb * 2**20,
            retries=self.retries,
        )
