"""Slack as an app: an incident is one message that is kept up to date, with a thread of lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from detector.gate.render import Json
from detector.gate.telling import Errand, Notice
from pipelines.notify.blocks import message
from pipelines.notify.incident_blocks import happening
from pipelines.notify.mrkdwn import SECTION, cut, section
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.slack_api import RefusedError, SlackAnswer, SlackApi
from pipelines.notify.slack_pictures import Charts, SlackPictures

__all__ = ["SlackApp"]

_PLACE = re.compile(r"([A-Z0-9]{1,32})/([0-9]{1,16}\.[0-9]{1,12})")
# The message is not there any more, or not ours to change: it is posted anew.
_GONE = frozenset(
    {"cant_update_message", "edit_window_closed", "message_not_found", "thread_not_found"}
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message is; as text it is the receipt."""

    channel: str
    ts: str

    @classmethod
    def read(cls, receipt: str) -> _Place | None:
        """None for what is no receipt."""
        found = _PLACE.fullmatch(receipt)
        return None if found is None else cls(found[1], found[2])

    def __str__(self) -> str:
        return f"{self.channel}/{self.ts}"


class SlackApp:
    """`Notifier` and `Correspondent` to one channel, by the token of a bot.

    `charts` gives the picture of a notice as PNG, empty for none.
    """

    def __init__(self, settings: NotifierSettings, charts: Charts | None = None) -> None:
        self._settings = settings
        self._api = SlackApi(settings)
        self._pictures = None if charts is None else SlackPictures(self._api, charts)
        # Without the secret by which clicks are verified nobody could hear of them.
        self._buttons = settings.secret is not None or settings.secret_file is not None

    def send(self, notice: Notice) -> None:
        """In a message of its own."""
        self._posted(notice)

    def follow(self, errand: Errand) -> str:
        """In the incident's message where there is one; the channel and time of the message."""
        notice, place = errand.notice, _Place.read(errand.receipt)
        if notice.incident is None or place is None or not self._is_updated(notice, place):
            return self._posted(notice)
        line = cut(happening(notice.incident, self._settings.public_url), SECTION)
        # A text by itself would make links of whatever looks like an address.
        shown: Mapping[str, Json] = {"text": line, "blocks": [section(line)]}
        self._post({"channel": place.channel, "thread_ts": place.ts, **shown})
        return errand.receipt

    def _posted(self, notice: Notice) -> str:
        answer = self._post({"channel": self._settings.channel, **self._message(notice)})
        place = _Place(answer.channel, answer.ts)
        if _Place.read(str(place)) is None:
            return ""
        if self._pictures is not None:
            self._pictures.show(notice, place.channel, place.ts)
        return str(place)

    def _is_updated(self, notice: Notice, place: _Place) -> bool:
        """Whether the message is still there; tried again, it is the same and disturbs nobody."""
        body = {"channel": place.channel, "ts": place.ts, **self._message(notice)}
        try:
            # Unlike a new message, one that is changed has its text looked through for names.
            self._api.call("chat.update", {"parse": "none", **body})
        except RefusedError as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def _message(self, notice: Notice) -> Mapping[str, Json]:
        return message(notice, self._settings.public_url, buttons=self._buttons)

    def _post(self, body: Mapping[str, Json]) -> SlackAnswer:
        quiet = {"unfurl_links": False, "unfurl_media": False}
        return self._api.call("chat.postMessage", {**quiet, **body})
