"""The picture of an incident below its message in Slack: uploaded by the app, or left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from detector.errors import ConfigError, DeliveryError
from detector.gate.render import Json
from detector.gate.telling import Notice
from pipelines.notify.plain import one_line
from pipelines.notify.slack_api import RefusedError, SlackApi
from pipelines.notify.wire import Wire

__all__ = ["Charts", "SlackPictures"]

Charts = Callable[[Notice], bytes]

_NAME, _TITLE, _ALT = "chart.png", 150, 900
# Not to be mended by another try: the app may not upload, or nobody may.
_NEVER = frozenset(
    {
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
    }
)


class SlackPictures:
    """Shows what `charts` draws, once for each message; what it may not do it tries no more."""

    def __init__(self, api: SlackApi, charts: Charts) -> None:
        self._api, self._charts, self._may = api, charts, True

    def show(self, notice: Notice, channel: str, ts: str) -> None:
        """Below a message; one that cannot be shown is left out, since the message was told."""
        chart = self._charts(notice) if self._may else b""
        if not chart:
            return
        try:
            self._upload(chart, notice, channel, ts)
        except (ConfigError, DeliveryError) as error:
            self._may = not (isinstance(error, RefusedError) and error.code in _NEVER)
            log = structlog.get_logger("serinus.notify")
            log.info("told without a chart", notice=notice.id, error=str(error))

    def _upload(self, chart: bytes, notice: Notice, channel: str, ts: str) -> None:
        """Ask where to, bring it there, and say where it is shown."""
        title = one_line(notice.title, _TITLE) or _NAME
        about: dict[str, Json] = {
            "filename": _NAME,
            "length": len(chart),
            "alt_txt": _words(notice) or title,
        }
        # Its documents named forms alone for long.
        place = self._api.call("files.getUploadURLExternal", about, as_form=True)
        self._bring(chart, place.upload_url)
        files: list[Json] = [{"id": place.file_id, "title": title}]
        shown: dict[str, Json] = {"files": files, "channel_id": channel, "thread_ts": ts}
        self._api.call("files.completeUploadExternal", shown)

    def _bring(self, chart: bytes, url: str) -> None:
        """Nowhere but to Slack, and without the token: the address itself is the permission."""
        settings = self._api.settings
        api, there = urlsplit(settings.address()), urlsplit(url)
        host, own = there.hostname or "", api.hostname or ""
        if there.scheme != api.scheme or not (host == own or host.endswith(f".{own}")):
            raise DeliveryError(f"{settings.place}: an upload leads away from {own}")
        wire = Wire(replace(settings, url=url))
        try:
            wire.post(chart, {"Content-Type": "image/png"})
        finally:
            wire.close()


def _words(notice: Notice) -> str:
    """For who hears a page instead of seeing it."""
    signs = () if notice.incident is None else notice.incident.signs
    return one_line(signs[0].text, _ALT) if signs else ""
