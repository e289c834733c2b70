"""The doors for changes of an app, opened onto its change log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from fastapi import FastAPI
from prometheus_client import Counter

from api.settings import Settings
from detector.changes.ports import ChangeLog
from detector.errors import NotFoundError
from pipelines.changes.doors import ChangeDoors, Taken

__all__ = ["Changing", "changing_of", "take_changes"]


class Changing:
    """The doors, and how often each was used."""

    def __init__(self, doors: ChangeDoors, events: Counter) -> None:
        self.doors, self._events = doors, events

    def count(self, sender: str, taken: Taken) -> None:
        """A payload of a sender was read."""
        if not taken.events:
            self._events.labels(sender, "no_news").inc()
        told = len(taken.events) - len(taken.changes)
        self._events.labels(sender, "kept").inc(len(taken.changes))
        self._events.labels(sender, "told_before").inc(max(told, 0))

    def refuse(self, sender: str, why: str) -> None:
        """A payload was not taken."""
        self._events.labels(sender, why).inc()


def changing_of(changing: Changing | None) -> Changing:
    """Where there is no log there is no door."""
    if changing is None:
        raise NotFoundError("This serinus keeps no changes.")
    return changing


def take_changes(
    app: FastAPI, log: ChangeLog, settings: Settings, clock: Callable[[], float] = time.time
) -> ChangeDoors:
    """Open the doors for changes; `ConfigError` for a sender that cannot be."""
    from detector.logs.redaction import redacted

    doors = ChangeDoors(
        log,
        settings.changes.native(),
        redact=redacted,
        services=settings.changes.services,
        clock=clock,
    )
    context = app.state.context
    events = Counter(
        "serinus_change_events",
        "Events of changes, by sender: kept, told before, no news, or why they were refused.",
        ("sender", "result"),
        registry=context.telemetry.registry,
    )
    app.state.context = replace(context, changing=Changing(doors, events))
    return doors
