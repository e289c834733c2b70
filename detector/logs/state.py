"""All that the detectors hold of one tenant's logs."""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.logs.counted import Template
from detector.logs.fingerprint import fingerprint
from detector.logs.lines import Level
from detector.logs.plain import LINE_END
from detector.logs.rows import Rows
from detector.logs.services import Services
from detector.logs.settings import LogSettings
from detector.logs.story import Story, Telling, series_of
from detector.stream.anomaly import AnomalyKind, Subject
from detector.stream.columns import SeriesInfo
from detector.stream.suppression import Window

__all__ = ["NEVER", "LogState"]

# Before any line.
NEVER = -(2**62)
_ALIASES = 10_000


@dataclass(slots=True, kw_only=True)
class LogState:
    """It is used up by each step, which gives it back changed: it has one owner at a time.

    `stories` are under way, by service. Anomalies are `open`, or `resting`: closed so lately that
    what comes next opens them again; both by kind and service. `watermark` is the newest bin,
    `ahead` and `behind` how many batches in a row were all of another time; `skewed`, `unwatched`:
    lines whose time was not believed, or whose service or template there was no room for.
    `names` are the fingerprints of templates that hold stack traces, empty for those without one.
    """

    tenant: str
    settings: LogSettings = field(default_factory=LogSettings)
    windows: tuple[Window, ...] = ()
    origin: str = ""
    services: Services = field(default_factory=Services)
    rows: Rows = field(default_factory=Rows)
    stories: dict[int, Story] = field(default_factory=dict)
    open: dict[tuple[AnomalyKind, int], Telling] = field(default_factory=dict)
    resting: dict[tuple[AnomalyKind, int], Telling] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    watermark: int = NEVER
    swept: int = NEVER
    ahead: int = 0
    behind: int = 0
    skewed: int = 0
    unwatched: int = 0

    @property
    def place(self) -> str:
        """What tells its anomalies from those of another part of a stream."""
        return f"{self.origin}\0{self.tenant}" if self.origin else self.tenant

    def subject(self, service: int, kind: AnomalyKind) -> Subject:
        """What an anomaly of a service's lines is about."""
        name, namespace, cluster = self.services.places[service]
        return Subject(service=name, namespace=namespace, cluster=cluster, metric=kind.value)

    def is_about(self, service: int) -> bool:
        """Whether something is known or told of a service's lines."""
        is_told = service in self.stories or any(
            (kind, service) in self.open for kind in AnomalyKind
        )
        return is_told or self.rows.of_service.get(service, 0) > 0

    def name_of(self, template: Template) -> str:
        """What a template is known by: of a stack trace its fingerprint, else its id."""
        if template.id not in self.names:
            if LINE_END not in template.sample and "\n" not in template.sample:
                return template.id
            found = fingerprint(template.sample)
            if len(self.names) >= _ALIASES:
                del self.names[next(iter(self.names))]
            self.names[template.id] = "" if found is None else found.id
        return self.names[template.id] or template.id

    def series(self, row: int) -> SeriesInfo:
        """What a contribution's number stands for."""
        subject = self.subject(int(self.rows["service"][row]), AnomalyKind.LOG_NOVELTY)
        level = Level(int(self.rows["level"][row])).name
        return series_of(subject, level, self.rows.words["template"][row])
