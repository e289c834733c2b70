"""What is said in the configuration of log files that are followed."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from api.section import Count, Seconds, Section

if TYPE_CHECKING:
    from pipelines.follow.following import Pace
    from pipelines.follow.roll import Group

__all__ = ["FollowSection", "TenantName", "WatchSection", "ZoneName", "zone_of"]


def _is_zone(name: str) -> str:
    zone_of(name)
    return name


def zone_of(name: str) -> tzinfo:
    """A time zone by its name, UTC for none; `ValueError` for one that is not known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r} is known; one is Europe/Berlin") from error


ZoneName = Annotated[str, AfterValidator(_is_zone)]
TenantName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class WatchSection(Section):
    """Files that are followed alike; what is empty is told by their paths and lines."""

    paths: Annotated[tuple[str, ...], Field(min_length=1)]
    service: str = ""
    namespace: str = ""
    cluster: str = ""
    pod: str = ""
    version: str = ""
    tenant: TenantName = "default"
    mapping: str = "auto"
    zone: ZoneName = ""

    def native(self) -> Group:
        """The same in the words of the follower."""
        from detector.logs.lines import Origin
        from pipelines.follow.roll import Group

        return Group(
            patterns=self.paths,
            origin=Origin(
                service=self.service,
                namespace=self.namespace,
                cluster=self.cluster,
                pod=self.pod,
                version=self.version,
            ),
            tenant=self.tenant,
            mapping=self.mapping,
            zone=zone_of(self.zone),
        )


class FollowSection(Section):
    """Log files that are followed."""

    watch: tuple[WatchSection, ...] = ()
    first: Literal["end", "start"] = "end"
    most: Count = 1024
    poll_s: Seconds = 0.25
    scan_s: Seconds = 2.0
    silence_s: Seconds = 1.0

    def native(self) -> Pace:
        """How they are followed, in the words of the follower."""
        from pipelines.follow.following import Pace

        return Pace(
            poll_s=self.poll_s,
            scan_s=self.scan_s,
            silence_s=self.silence_s,
            files=self.most,
            from_start=self.first == "start",
        )
