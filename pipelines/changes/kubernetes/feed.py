"""One resource of a cluster, listed once and then watched; listed again where the watch is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import msgspec

from detector.errors import SourceError
from pipelines.changes.kubernetes.client import Answer, Api
from pipelines.changes.kubernetes.objects import Thing
from pipelines.changes.kubernetes.resources import Resource
from pipelines.changes.kubernetes.settings import KubernetesSettings

__all__ = ["Feed", "FeedMeters", "Heard"]

_PAGE, _PAGES = 500, 400
_GONE, _FORBIDDEN = 410, frozenset({401, 403})
# Without plain JSON beside it: a server that knows no bare metadata refuses, and sends no content.
_BARE = "application/json;as={};g=meta.k8s.io;v=v1"
_JSON = "application/json"
_WORDS = 300


class Heard(Protocol):
    """Who is told of objects; each may raise `StoreError`."""

    def listed(self, resource: Resource, namespace: str, found: Sequence[Thing]) -> None:
        """These are all that there are."""
        ...

    def seen(self, resource: Resource, namespace: str, found: Thing) -> None:
        """One is new, or is otherwise now."""
        ...

    def gone(self, resource: Resource, namespace: str, found: Thing) -> None:
        """One is no more."""
        ...


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


@dataclass(slots=True)
class FeedMeters:
    """Running totals; `heard_at` is unix seconds, `ailing` why it does not work just now."""

    listed: int = 0
    events: int = 0
    unread: int = 0
    heard_at: float = 0.0
    ailing: str = ""


class Feed:
    """Follows one resource in one namespace, or in all; for one thread, but for `stop`."""

    def __init__(
        self,
        api: Api,
        resource: Resource,
        namespace: str,
        heard: Heard,
        *,
        settings: KubernetesSettings,
        clock: Callable[[], float],
    ) -> None:
        self.resource, self.namespace, self.meters = resource, namespace, FeedMeters()
        self._api, self._heard, self._clock = api, heard, clock
        self._settings, self._read = settings, msgspec.json.Decoder(resource.form)
        self._version, self._stop = "", threading.Event()
        self._answer: Answer | None = None

    def look(self) -> bool:
        """List if need be, and watch for a while; whether to go on at once. `StoreError`."""
        try:
            if not self._version:
                self._list()
            is_whole = self._watch()
        except SourceError as error:
            self.meters.ailing = f"{self.resource.name}: {error}"
            return False
        return is_whole and not self._stop.is_set()

    def stop(self) -> None:
        """Break off what is under way; nothing more is asked."""
        self._stop.set()
        answer = self._answer
        if answer is not None:
            answer.break_off()

    def _list(self) -> None:
        found: list[Thing] = []
        query = {"limit": str(_PAGE), **dict(self.resource.selectors)}
        for _ in range(_PAGES):
            page = self._page(query)
            found += [one for raw in page.items or () if (one := self._thing(raw)) is not None]
            if not page.metadata.continue_:
                self._heard.listed(self.resource, self.namespace, found)
                self.meters.listed += 1
                self._version = page.metadata.resource_version
                return
            query["continue"] = page.metadata.continue_
        raise SourceError(f"there are more than {_PAGE * _PAGES:,}: name some namespaces")

    def _page(self, query: dict[str, str]) -> _Page:
        answer = self._ask(query, "PartialObjectMetadataList", self._settings.timeout_s)
        try:
            page = msgspec.json.decode(answer.body(), type=_Page)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SourceError("its list cannot be read") from None
        finally:
            self._done(answer)
        self._is_well()
        return page

    def _watch(self) -> bool:
        """Until the server ends it; False where it has to be listed again."""
        seconds = round(self._settings.watch_s)
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(seconds),
            **dict(self.resource.selectors),
        }
        silence = seconds + self._settings.timeout_s
        answer = self._ask(query, "PartialObjectMetadata", silence)
        self._is_well()
        try:
            return all(self._hear(line) for line in answer.lines())
        finally:
            self._done(answer)

    def _hear(self, line: bytes) -> bool:
        """Take one event; False where the watch is lost."""
        try:
            event = msgspec.json.decode(line, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._version = ""
            raise SourceError("its watch cannot be read") from None
        if event.type == "ERROR":
            return self._lost(event.object)
        self._is_well()
        thing = self._thing(event.object)
        if thing is not None:
            self._take(event.type, thing)
        return True

    def _take(self, what: str, thing: Thing) -> None:
        if what in {"ADDED", "MODIFIED"}:
            self._heard.seen(self.resource, self.namespace, thing)
        elif what == "DELETED":
            self._heard.gone(self.resource, self.namespace, thing)
        # After what it says is kept: what could not be is heard again.
        self._version = thing.metadata.resource_version or self._version
        self.meters.events += what != "BOOKMARK"

    def _lost(self, raw: msgspec.Raw) -> bool:
        status = _status(raw)
        self._version = ""
        if status.code == _GONE:
            return False
        raise SourceError(_said(status))

    def _ask(self, query: dict[str, str], form: str, silence: float) -> Answer:
        """`SourceError` for a refusal; after 410 all is listed again."""
        if self._stop.is_set():
            raise SourceError("it is closed")
        answer = self._api.get(
            self.resource.path(self.namespace),
            query,
            accept=_BARE.format(form) if self.resource.is_bare else _JSON,
            patience_s=silence,
        )
        self._answer = answer
        if self._stop.is_set():
            answer.break_off()
        if answer.status != 200:
            status = _status(answer.problem())
            self._done(answer)
            self._refused(answer.status, status)
        return answer

    def _refused(self, code: int, status: _Status) -> NoReturn:
        if code == _GONE:
            self._version = ""
        if code in _FORBIDDEN:
            right = f"it needs the rights to list and watch {self.resource.name}"
            raise SourceError(f"refused with {code}: {right} ({_said(status)})")
        raise SourceError(f"answered with {code}: {_said(status)}")

    def _done(self, answer: Answer) -> None:
        self._answer = None
        answer.close()

    def _thing(self, raw: msgspec.Raw) -> Thing | None:
        """None for one that cannot be read, which is counted."""
        try:
            return self._read.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.meters.unread += 1
            return None

    def _is_well(self) -> None:
        self.meters.ailing, self.meters.heard_at = "", self._clock()


def _status(raw: msgspec.Raw | bytes) -> _Status:
    try:
        return msgspec.json.decode(raw, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Status()


def _said(status: _Status) -> str:
    """What the server says, on one line."""
    return " ".join(status.message.split())[:_WORDS] or "without a word"
