"""Where changes come in: by senders that the configuration names, and by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from detector.changes.change import Change, ChangeEvent, Place
from detector.changes.ports import ChangeLog
from detector.errors import NotFoundError
from pipelines.changes.mapping import ChangeMapping
from pipelines.changes.reading import events_of, fitted_event
from pipelines.changes.signature import is_signed

__all__ = ["ChangeDoors", "Sender", "Taken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who may tell of changes, by which mapping, and for whom.

    `secret` is read anew each time; None where the sender has to have our token instead. `place`
    says what the sender leaves out or calls otherwise.
    """

    name: str
    mapping: ChangeMapping
    secret: Callable[[], str] | None = field(default=None, repr=False)
    tenant: str = "default"
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a payload told, and the changes that became others by it."""

    events: tuple[ChangeEvent, ...]
    changes: tuple[Change, ...]


class ChangeDoors:
    """Reads what senders post into the change log; safe for threads.

    `services` gives the name in metrics of what senders call otherwise.
    """

    def __init__(
        self,
        log: ChangeLog,
        senders: Sequence[Sender] = (),
        *,
        redact: Callable[[str], str],
        services: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.log, self._redact, self._clock = log, redact, clock
        self._senders = {sender.name: sender for sender in senders}
        self._services = services or {}

    def sender(self, name: str) -> Sender:
        """By name; `NotFoundError`."""
        if name not in self._senders:
            raise NotFoundError(
                f"there is no sender {name[:80]!r}: name it under changes.senders of the"
                " configuration"
            )
        return self._senders[name]

    def has_signed(self, sender: Sender, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether a sender with a secret sent this; headers in lower case."""
        if sender.secret is None or sender.mapping.signature is None:
            return False
        signature, now = sender.mapping.signature, round(self._clock())
        return is_signed(signature, body, headers, sender.secret(), now=now)

    def take(self, sender: Sender, body: bytes, headers: Mapping[str, str]) -> Taken:
        """Keep what a payload tells; `InputError` where it cannot be read, `StoreError`."""
        now = round(1000 * self._clock())
        read = events_of(sender.mapping, body, headers, now=now, redact=self._redact)
        events = tuple(self._placed(event, sender.place) for event in read)
        return self._keep(sender.tenant, events)

    def note(self, tenant: str, event: ChangeEvent) -> Taken:
        """Keep what a person or a script tells."""
        fitted = fitted_event(event, self._redact)
        return self._keep(tenant, (self._placed(fitted, Place()),))

    def _keep(self, tenant: str, events: tuple[ChangeEvent, ...]) -> Taken:
        changes = self.log.add(tenant, events) if events else ()
        return Taken(events=events, changes=changes)

    def _placed(self, event: ChangeEvent, known: Place) -> ChangeEvent:
        named = self._services.get(event.place.service, event.place.service)
        told = replace(event.place, service=named)
        words = {part.name: getattr(known, part.name) for part in fields(Place)}
        return replace(event, place=replace(told, **{k: word for k, word in words.items() if word}))
