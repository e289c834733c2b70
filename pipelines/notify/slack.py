"""Slack by an incoming webhook: its URL is the channel and the secret at once."""

from __future__ import annotations

import msgspec

from detector.gate.telling import Notice
from pipelines.notify.blocks import message
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.wire import Wire

__all__ = ["SlackNotifier"]


class SlackNotifier:
    """`Notifier` to one channel; Slack takes about one message a second, and says so by 429."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings, self._wire = settings, Wire(settings)

    def send(self, notice: Notice) -> None:
        """Return once Slack said ok."""
        body = msgspec.json.encode(message(notice, self._settings.public_url))
        self._wire.post(body, {"Content-Type": "application/json; charset=utf-8"})
