"""Open the notifiers that the settings name: ours, or a third party's by entry point."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from detector.errors import ConfigError
from detector.gate.telling import Notice
from detector.ports import Clock, Notifier
from pipelines.notify.settings import NotifierSettings
from pipelines.plugins import named, plugged

__all__ = ["GROUP", "open_notifier"]

GROUP = "serinus.notifiers"
_OURS = ("webhook", "slack", "slack-app", "pagerduty", "alertmanager", "email", "teams", "apprise")


def open_notifier(
    settings: NotifierSettings, clock: Clock, charts: Callable[[Notice], bytes] | None = None
) -> Notifier:
    """The notifier of `settings.kind`; `ConfigError` when there is none or it is no notifier.

    `charts` gives the picture of a notice as PNG, empty for none, to those that can show one.
    An entry point in the group `serinus.notifiers` names a callable that takes `NotifierSettings`
    and gives an object with the method of `Notifier`.
    """
    made: Notifier
    match settings.kind:
        case "webhook":
            from pipelines.notify.webhook import WebhookNotifier

            made = WebhookNotifier(settings, clock)
        case "slack":
            from pipelines.notify.slack import SlackNotifier

            made = SlackNotifier(settings)
        case "slack-app":
            from pipelines.notify.slack_app import SlackApp

            made = SlackApp(settings, charts)
        case "pagerduty":
            from pipelines.notify.pagerduty import PagerDuty

            made = PagerDuty(settings)
        case "alertmanager":
            from pipelines.notify.alertmanager import Alertmanager

            made = Alertmanager(settings)
        case "email":
            from pipelines.notify.email import Email

            made = Email(settings, charts)
        case "teams":
            from pipelines.notify.teams import Teams

            made = Teams(settings, charts)
        case "apprise":
            from pipelines.notify.apprise import AppriseNotifier

            made = AppriseNotifier(settings)
        case _:
            made = _plugin(settings)
    return made


def _plugin(settings: NotifierSettings) -> Notifier:
    point = plugged(GROUP, settings.kind, _OURS, f"{settings.place}: kind")
    told, factory = named(point, "notifier")
    notifier: Notifier = factory(settings)
    if not _sends(notifier):
        raise ConfigError(f"{told} is no notifier: it must have send(notice)")
    return notifier


def _sends(notifier: object) -> bool:
    send = getattr(notifier, "send", None)
    if not callable(send):
        return False
    try:
        inspect.signature(send).bind(None)
    except TypeError:
        return False
    return True
