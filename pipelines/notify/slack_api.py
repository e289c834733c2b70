"""Slack's Web API: one call of a method by the token of a bot, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import msgspec

from detector.errors import DeliveryError
from detector.gate.render import Json
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.wire import Wire

__all__ = ["RefusedError", "SlackAnswer", "SlackApi"]

_API = "https://slack.com/api"
_JSON, _FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
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
    "missing_scope": "give the app the scope chat:write, and files:write for charts",
    "not_authed": "check the token",
    "not_in_channel": "invite the app to the channel",
    "token_expired": "give a new token",
    "token_revoked": "give a new token",
}


class SlackAnswer(msgspec.Struct):
    """What a method answered; which of them are there depends on it."""

    ok: bool
    error: str = ""
    channel: str = ""
    ts: str = ""
    upload_url: str = ""
    file_id: str = ""


_ANSWER = msgspec.json.Decoder(SlackAnswer)


class RefusedError(DeliveryError):
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


class SlackApi:
    """Calls its methods at the address of the settings, or Slack's own."""

    def __init__(self, settings: NotifierSettings) -> None:
        self.settings = replace(settings, url=settings.url or _API)
        self._wire = Wire(self.settings)

    def call(self, method: str, body: Mapping[str, Json], *, as_form: bool = False) -> SlackAnswer:
        """One method; it says no with status 200. `as_form`: it takes no JSON."""
        headers = {
            "Content-Type": _FORM if as_form else _JSON,
            "Authorization": f"Bearer {self.settings.bearer()}",
        }
        content = urlencode(body).encode() if as_form else msgspec.json.encode(body)
        said = self._wire.post(content, headers, path=method)
        place = self.settings.place
        try:
            answer = _ANSWER.decode(said)
        except msgspec.MsgspecError as error:
            raise DeliveryError(f"{place}: {method} was not answered as Slack does") from error
        if not answer.ok:
            raise RefusedError(place, answer.error)
        return answer
