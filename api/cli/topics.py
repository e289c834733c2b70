"""`serinus topics create`: the topics of the configuration, made where they are absent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.guard import Code
from api.cli.serving import settings_of

if TYPE_CHECKING:
    from api.kafka_settings import KafkaSection
    from pipelines.topics.plan import Found

__all__ = ["create_topics"]


def create_topics(
    config: Path | None, *, servers: Sequence[str] | None, is_dry: bool, as_json: bool
) -> int:
    """Make what is absent; 0 once all is there as asked."""
    from api.worker_judges import log_forms
    from pipelines.topics.kafka_admin import KafkaAdmin
    from pipelines.topics.plan import Standing, set_up

    flags: dict[str, Any] = {"kafka": {"servers": servers}} if servers else {}
    settings = settings_of(config, None, flags)
    # A format that is none is told before a topic of it is made.
    log_forms(settings)
    section = settings.kafka
    with closing(KafkaAdmin(section.native())) as admin:
        found = set_up(admin, section.topics(), make=not is_dry)
    print(_as_json(found) if as_json else _as_text(found, section))
    good = {Standing.MADE, Standing.SAME}
    return Code.PASS if all(one.standing in good for one in found) else Code.FAIL


def _as_json(found: Sequence[Found]) -> str:
    return json.dumps({"topics": [_told(one) for one in found]}, indent=2)


def _told(one: Found) -> Mapping[str, Any]:
    return {
        "name": one.topic.name,
        "standing": one.standing.name.lower(),
        "differences": list(one.differences),
        "partitions": one.topic.partitions,
        "replication": one.topic.replication,
        "config": dict(one.topic.config),
    }


def _as_text(found: Sequence[Found], section: KafkaSection) -> str:
    width = max(len(one.topic.name) for one in found)
    lines = []
    for one in found:
        lines.append(f"{one.topic.name:<{width}}  {_use(one, section):<12}  {one.standing.value}")
        lines += [f"{'':<{width}}  {'':<12}  {words}" for words in one.differences]
    if any(one.differences for one in found):
        lines += ["", "What is there is not changed: change it with Kafka's own tools, or the"]
        lines += ["configuration. More partitions send series elsewhere than their state is."]
    return "\n".join(line.rstrip() for line in lines)


def _use(one: Found, section: KafkaSection) -> str:
    """What a topic is for."""
    name = one.topic.name
    for read in (section.metrics, section.logs, section.traces):
        if name in read:
            return read[name].format
    return "anomalies" if name == section.anomalies.topic else "dead letters"
