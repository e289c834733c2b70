"""The configuration of what tells of changes; no web framework is needed to read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from api.section import Section
from detector.changes.change import Place
from detector.errors import ConfigError
from pipelines.ingest.protocol import is_tenant

if TYPE_CHECKING:
    from pipelines.changes.doors import Sender
    from pipelines.changes.kubernetes.settings import KubernetesSettings
    from pipelines.changes.mapping import ChangeMapping

__all__ = ["ChangesSection", "KubernetesSection", "SenderSection"]

_SECRET_MAX = 4096
_Objects = Literal["workloads", "config-maps", "autoscalers", "nodes", "secrets", "helm"]
_Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


def _tenant(name: str) -> str:
    if not is_tenant(name):
        raise ValueError(f"{name!r}: 1 to 64 letters, digits, dots, dashes or underscores")
    return name


class SenderSection(Section):
    """One that posts to `/hooks/NAME`; `mapping` is what it speaks, its name if not given.

    Words of the place stand in for what its payloads leave out, and before what they say.
    """

    mapping: str | None = None
    secret: SecretStr | None = None
    secret_file: Path | None = None
    tenant: Annotated[str, AfterValidator(_tenant)] = "default"
    service: str = ""
    namespace: str = ""
    cluster: str = ""
    environment: str = ""

    def native(self, name: str, mapping: ChangeMapping) -> Sender:
        """The same in the words of the doors; `ConfigError` for a secret that cannot be used."""
        from pipelines.changes.doors import Sender

        if self.secret is not None and self.secret_file is not None:
            raise ConfigError(f"changes.senders.{name}: secret or secret_file, not both")
        has_secret = self.secret is not None or self.secret_file is not None
        if has_secret and mapping.signature is None:
            raise ConfigError(
                f"changes.senders.{name}: {mapping.title} does not sign what it posts: leave the"
                " secret out, and let it send our token as `Authorization: Bearer ...`"
            )
        return Sender(
            name=name,
            mapping=mapping,
            secret=self._secret(name) if has_secret else None,
            tenant=self.tenant,
            place=Place(
                service=self.service,
                namespace=self.namespace,
                cluster=self.cluster,
                environment=self.environment,
            ),
        )

    def _secret(self, name: str) -> Callable[[], str]:
        """Reads it anew each time: secrets are rotated under a running process."""
        if self.secret is not None:
            text = self.secret.get_secret_value()
            return lambda: text
        path = self.secret_file
        assert path is not None

        def read() -> str:
            try:
                return path.read_text(encoding="utf-8")[:_SECRET_MAX].strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"changes.senders.{name}: {path}: {error}") from error

        return read


class KubernetesSection(Section):
    """A cluster that is watched; without a kubeconfig the one that serinus runs in."""

    enabled: bool = False
    kubeconfig: Path | None = None
    context: str | None = None
    cluster: Annotated[str, Field(max_length=253)] = ""
    tenant: Annotated[str, AfterValidator(_tenant)] = "default"
    namespaces: Annotated[tuple[_Namespace, ...], Field(max_length=20)] = ()
    objects: Annotated[tuple[_Objects, ...], Field(min_length=1)] = (
        "workloads",
        "config-maps",
        "autoscalers",
        "nodes",
    )
    lookback_hours: Annotated[float, Field(ge=0, le=720)] = 24.0
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0

    def native(self) -> KubernetesSettings | None:
        """The same in the words of the watch; None where nothing is watched."""
        from pipelines.changes.kubernetes.settings import KubernetesSettings

        if not self.enabled:
            return None
        return KubernetesSettings(
            kubeconfig=None if self.kubeconfig is None else str(self.kubeconfig),
            context=self.context,
            cluster=self.cluster,
            tenant=self.tenant,
            namespaces=self.namespaces,
            objects=self.objects,
            lookback_s=3600 * self.lookback_hours,
            timeout_s=self.timeout_seconds,
        )


class ChangesSection(Section):
    """What tells of changes. `services` says what senders call otherwise than metrics do.

    `inferred`: versions that metrics or spans show and nobody told of are deployments, too.
    """

    mappings: tuple[Path, ...] = ()
    senders: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")], SenderSection] = (
        Field(default_factory=dict)
    )
    services: dict[str, str] = Field(default_factory=dict)
    kubernetes: KubernetesSection = KubernetesSection()
    inferred: bool = True

    def native(self) -> tuple[Sender, ...]:
        """Each sender; `ConfigError` for a mapping that is not there."""
        from pipelines.changes.mapping import load_change_mappings

        if not self.senders:
            return ()
        mappings = load_change_mappings(self.mappings)
        return tuple(
            section.native(name, _found(mappings, section.mapping or name, name))
            for name, section in self.senders.items()
        )


def _found(mappings: object, wanted: str, sender: str) -> ChangeMapping:
    from pipelines.changes.mapping import ChangeMapping

    assert isinstance(mappings, dict)
    mapping = mappings.get(wanted)
    if not isinstance(mapping, ChangeMapping):
        there = ", ".join(sorted(mappings))
        raise ConfigError(
            f"changes.senders.{sender}: there is no mapping {wanted!r}; there are {there}."
            " A file of one's own goes under changes.mappings"
        )
    return mapping
