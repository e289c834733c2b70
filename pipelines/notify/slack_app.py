"""Slack as an app: an incident is one message that is kept up to date, with a thread of lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from detector.errors import DeliveryError
from detector.gate.render import Json
from detector.gate.telling import Errand, Notice
from pipelines.notify.blocks import message
from pipelines.notify.incident_blocks import happening
from pipelines.notify.mrkdwn import SECTION, cut, section
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.wire import Wire

__all__ = ["SlackApp"]

_API = "https://slack.com/api"
_PLACE = re.compile(r"([A-Z0-9]{1,32})/([0-9]{1,16}\.[0-9]{1,12})")
# The message is not there any more, or not ours to change: it is posted anew.
_GONE = frozenset(
    {"cant_update_message", "edit_window_closed", "message_not_found", "thread_not_found"}
)
# The message itself is refused, and would be again.
_FAULTY = frozenset(
    {
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_json",
        "json_not_object",
        "markdown_text_conflict",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
# Slack itself is not well: worth another try at once.
_ILL = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
# All else somebody has to mend, and may within the day: the token, the channel, who is in it.
_MEND_AFTER_S = 60.0
_MENDED = {
    "account_inactive": "the app was removed; install it again",
    "channel_not_found": "check the channel's id, and invite the app to a private one",
    "invalid_auth": "check the token",
    "is_archived": "name another channel",
    "missing_scope": "give the app the scope chat:write",
    "not_authed": "check the token",
    "not_in_channel": "invite the app to the channel",
    "token_expired": "give a new token",
    "token_revoked": "give a new token",
}


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


class _Answer(msgspec.Struct):
    ok: bool
    error: str = ""
    channel: str = ""
    ts: str = ""


_ANSWER = msgspec.json.Decoder(_Answer)


class _RefusedError(DeliveryError):
    """Slack said no; `code` is what it calls it."""

    def __init__(self, place: str, code: str) -> None:
        shown = code[:60] if code.isprintable() else "?"
        hint = f": {_MENDED[code]}" if code in _MENDED else ""
        may_pass = code not in _FAULTY
        after_s = _MEND_AFTER_S if may_pass and code not in _ILL | {"ratelimited"} else None
        super().__init__(
            f"{place}: Slack answered {shown}{hint}", retryable=may_pass, after_s=after_s
        )
        self.code = code


class SlackApp:
    """`Notifier` and `Correspondent` to one channel, by the token of a bot."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._wire = Wire(replace(settings, url=settings.url or _API))
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
        return str(place) if _Place.read(str(place)) else ""

    def _is_updated(self, notice: Notice, place: _Place) -> bool:
        """Whether the message is still there; tried again, it is the same and disturbs nobody."""
        body = {"channel": place.channel, "ts": place.ts, **self._message(notice)}
        try:
            # Unlike a new message, one that is changed has its text looked through for names.
            self._call("chat.update", {"parse": "none", **body})
        except _RefusedError as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def _message(self, notice: Notice) -> Mapping[str, Json]:
        return message(notice, self._settings.public_url, buttons=self._buttons)

    def _post(self, body: Mapping[str, Json]) -> _Answer:
        quiet = {"unfurl_links": False, "unfurl_media": False}
        return self._call("chat.postMessage", {**quiet, **body})

    def _call(self, method: str, body: Mapping[str, Json]) -> _Answer:
        """One method of the API; it says no with status 200."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self._settings.bearer()}",
        }
        said = self._wire.post(msgspec.json.encode(body), headers, path=method)
        place = self._settings.place
        try:
            answer = _ANSWER.decode(said)
        except msgspec.MsgspecError as error:
            raise DeliveryError(f"{place}: {method} was not answered as Slack does") from error
        if not answer.ok:
            raise _RefusedError(place, answer.error)
        return answer
