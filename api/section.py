"""What the parts of the configuration have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pipelines.sources.settings import Tls

__all__ = ["Count", "Seconds", "Section", "TlsSettings", "secret_text", "text_of"]

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of the tree: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(Section):
    """Certificates towards the metric source."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure: bool = False

    def native(self) -> Tls:
        """The same in the words of the sources."""
        return Tls(
            ca_file=text_of(self.ca_file),
            cert_file=text_of(self.cert_file),
            key_file=text_of(self.key_file),
            insecure=self.insecure,
        )


def secret_text(value: SecretStr | None) -> str | None:
    """The secret itself."""
    return value.get_secret_value() if value is not None else None


def text_of(path: Path | None) -> str | None:
    """A path as text."""
    return str(path) if path is not None else None
