"""The long tail of receivers by the library apprise, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.alerts.brief import BriefState
from detector.errors import ConfigError, DeliveryError
from detector.gate.telling import Notice, NoticeKind
from pipelines.notify.plain import one_line, plain_of
from pipelines.notify.settings import NotifierSettings

if TYPE_CHECKING:
    import apprise

__all__ = ["AppriseNotifier"]

_TITLE = 200
_KINDS = {NoticeKind.FAIL: "failure", NoticeKind.PAUSE: "warning"}
_STATES = {
    BriefState.OPEN: "failure",
    BriefState.RESOLVED: "success",
    BriefState.MERGED: "info",
}


class AppriseNotifier:
    """`Notifier` to what an URL of apprise names; all it says of a failure is that it was one."""

    def __init__(self, settings: NotifierSettings) -> None:
        try:
            import apprise
        except ImportError as error:
            words = "needs a package that is not installed: pip install 'serinus[apprise]'"
            raise ConfigError(f"{settings.place}: kind apprise {words}") from error
        self._settings, self._library = settings, apprise
        if settings.url is not None:
            self._opened()

    def send(self, notice: Notice) -> None:
        """Return once the receiver took it, as far as apprise knows."""
        told = plain_of(notice, self._settings.public_url)
        _title, _, text = "\n".join(told.lines).partition("\n")
        result = self._opened().notify(
            body=text.strip() or told.headline,
            title=one_line(told.headline, _TITLE),
            notify_type=self._library.NotifyType(_type(notice)),
            body_format=self._library.NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=self._settings.timeout_s,
        )
        if not result:
            raise DeliveryError(f"{self._settings.place}: apprise could not deliver it")

    def _opened(self) -> apprise.Apprise:
        """As the URL is now; it may be a secret, so it is in no message."""
        library = self._library
        # Nothing is written to disk, and nothing followed to where somebody else leads.
        asset = library.AppriseAsset(
            storage_mode=library.PersistentStoreMode.MEMORY, http_redirects=False
        )
        services: apprise.Apprise = library.Apprise(asset=asset)
        if not services.add(self._settings.where()):
            raise ConfigError(f"{self._settings.place}: its URL is none that apprise knows")
        for service in services:
            service.socket_connect_timeout = self._settings.timeout_s
            service.socket_read_timeout = self._settings.timeout_s
        return services


def _type(notice: Notice) -> str:
    if notice.incident is not None:
        return _STATES[notice.incident.state]
    return _KINDS.get(notice.kind, "info")
