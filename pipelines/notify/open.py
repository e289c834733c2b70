"""Open the notifiers that the settings name: ours, or a third party's by entry point."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from detector.errors import ConfigError
from detector.ports import Clock, Notifier
from pipelines.notify.settings import NotifierSettings

__all__ = ["GROUP", "open_notifier"]

GROUP = "serinus.notifiers"


def open_notifier(settings: NotifierSettings, clock: Clock) -> Notifier:
    """The notifier of `settings.kind`; `ConfigError` when there is none or it is no notifier.

    An entry point in the group `serinus.notifiers` names a callable that takes `NotifierSettings`
    and gives an object with the method of `Notifier`.
    """
    match settings.kind:
        case "webhook":
            from pipelines.notify.webhook import WebhookNotifier

            return WebhookNotifier(settings, clock)
        case "slack":
            from pipelines.notify.slack import SlackNotifier

            return SlackNotifier(settings)
    return _plugin(settings)


def _plugin(settings: NotifierSettings) -> Notifier:
    found = {point.name: point for point in entry_points(group=GROUP)}
    point = found.get(settings.kind)
    if point is None:
        known = ", ".join(sorted({"webhook", "slack", *found}))
        raise ConfigError(f"{settings.place}: kind {settings.kind!r} is unknown; there are {known}")
    notifier = _load(point)(settings)
    if not _sends(notifier):
        raise ConfigError(
            f"notifier plug-in {point.name!r} ({point.value}) is no notifier: it must have"
            " send(notice)"
        )
    return notifier


def _load(point: EntryPoint) -> Callable[[NotifierSettings], Notifier]:
    try:
        factory: Callable[[NotifierSettings], Notifier] = point.load()
    except Exception as error:
        text = f"notifier plug-in {point.name!r} ({point.value}) cannot be loaded: {error}"
        raise ConfigError(text) from error
    return factory


def _sends(notifier: object) -> bool:
    send = getattr(notifier, "send", None)
    if not callable(send):
        return False
    try:
        inspect.signature(send).bind(None)
    except TypeError:
        return False
    return True
