"""The configuration: one YAML file, environment and flags, read once into a frozen tree."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from api.access_settings import AuthSettings, BudgetSettings
from api.alerts_settings import AlertsSection
from api.bodies.policy import PolicyBody
from api.capacity_settings import CapacitySection
from api.changes_settings import ChangesSection
from api.incidents_settings import IncidentsSection
from api.ingest_settings import IngestSettings
from api.kafka_settings import KafkaSection
from api.logs_settings import LogsSection
from api.notify import NotifySettings
from api.reports_settings import ReportsSection
from api.section import Count, Seconds, Section, TlsSettings
from api.stream_settings import StreamSection
from api.traces_settings import TracesSection
from api.wording import words_of
from api.worker_settings import WorkerSection
from detector.errors import ConfigError
from detector.gate.policy import Policy
from pipelines.sources.settings import SourceSettings

__all__ = ["LimitSettings", "LogSettings", "MetricSourceSettings", "Settings", "load_settings"]


class MetricSourceSettings(Section):
    """Where the metrics are."""

    kind: str = "prometheus"
    url: str = "http://127.0.0.1:9090"
    auth: AuthSettings = AuthSettings()
    tls: TlsSettings = TlsSettings()
    budget: BudgetSettings = BudgetSettings()
    params: dict[str, str] = Field(default_factory=dict)
    allow_hosts: tuple[str, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)

    def native(self) -> SourceSettings:
        """The same in the words of the sources; `ConfigError` for an URL that is none."""
        return SourceSettings(
            kind=self.kind,
            url=self.url,
            auth=self.auth.native(),
            tls=self.tls.native(),
            budget=self.budget.native(),
            params=self.params,
            allow_hosts=self.allow_hosts,
            options=self.options,
        )


class LimitSettings(Section):
    """What one process of serinus takes before it says 413 or 503.

    `request_s` is below the 10 s that Argo and Flagger wait by default (the shipped templates
    wait for 20); `source_s` is what of it the metric source may use.
    """

    body_kb: Count = 64
    request_s: Seconds = 9.5
    source_s: Seconds = 8.0
    concurrent: Count = 16
    queued: Count = 64
    warm: Count = 1024

    @model_validator(mode="after")
    def source_fits(self) -> LimitSettings:
        """The source's time is a part of the request's."""
        if self.source_s >= self.request_s:
            raise ValueError("source_s must be below request_s, or a slow source becomes a 503")
        return self


class LogSettings(Section):
    """One line per event on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Settings(BaseSettings):
    """All of it. Flags win over the environment (`SERINUS_...`), that over the file."""

    model_config = SettingsConfigDict(
        env_prefix="SERINUS_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    data: Path = Path("serinus-data")
    store: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    token: SecretStr | None = None
    flagger_token: SecretStr | None = None
    insecure: bool = False
    allowed_hosts: tuple[str, ...] = ()
    source: MetricSourceSettings = MetricSourceSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()
    policies: dict[str, PolicyBody] = {}
    packs: tuple[Path, ...] = ()
    objectives: tuple[Path, ...] = ()
    capacity: CapacitySection = CapacitySection()
    reports: ReportsSection = ReportsSection()
    notify: NotifySettings = NotifySettings()
    alerts: AlertsSection = AlertsSection()
    changes: ChangesSection = ChangesSection()
    incidents: IncidentsSection = IncidentsSection()
    ingest: IngestSettings = IngestSettings()
    stream: StreamSection = StreamSection()
    logs: LogsSection = LogsSection()
    traces: TracesSection = TracesSection()
    worker: WorkerSection = WorkerSection()
    kafka: KafkaSection = KafkaSection()

    @model_validator(mode="after")
    def alerts_reach_receivers(self) -> Settings:
        """A receiver that is misspelt would never be told: `ConfigError` at the start."""
        self.alerts.native().check_receivers(self.notify.to)
        return self

    @cached_property
    def native_policies(self) -> tuple[Policy, ...]:
        """The policies of the file, by name."""
        return tuple(body.native(name=name) for name, body in self.policies.items())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The flags hold the file under `_file`, which comes last."""
        assert isinstance(init_settings, InitSettingsSource)
        flags = dict(init_settings.init_kwargs)
        file = flags.pop("_file", {})
        return (
            InitSettingsSource(settings_cls, init_kwargs=flags),
            env_settings,
            InitSettingsSource(settings_cls, init_kwargs=file),
        )


def load_settings(file: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the configuration once; `ConfigError` says which key is wrong and why."""
    values: dict[str, Any] = {"_file": _read(file)} if file is not None else {}
    try:
        return Settings(**{**(flags or {}), **values})
    except ValidationError as error:
        raise ConfigError(_explained(error, file)) from error


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: is not YAML: {error}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}: must be a mapping of keys, see serinus.example.yaml")
    unknown = sorted(str(key) for key in tree if key not in Settings.model_fields)
    if unknown:
        known = ", ".join(Settings.model_fields)
        raise ConfigError(f"{file}: unknown key {unknown[0]!r}; there are {known}")
    return tree


def _explained(error: ValidationError, file: Path | None) -> str:
    place = f"{file}: " if file is not None else "configuration: "
    lines = [f"{'.'.join(map(str, e['loc']))}: {words_of(e)}" for e in error.errors()]
    return place + "; ".join(lines)
