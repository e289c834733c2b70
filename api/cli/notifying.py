"""`serinus notify`: a word to one receiver, to see whether it arrives."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from api.cli.guard import Code, CouldNotAskError
from api.cli.serving import settings_of
from detector.errors import ConfigError, DeliveryError
from detector.gate.telling import Notice, NoticeKind

__all__ = ["notify"]


def notify(name: str, *, config: Path | None) -> int:
    """Send a test notice; 0 once it was acknowledged, 4 where it was not."""
    from pipelines.notify.open import open_notifier

    known = {one.name: one for one in settings_of(config, None, {}).notify.native()}
    if name not in known:
        there = ", ".join(known) or "none; see notify.to in serinus.example.yaml"
        raise ConfigError(f"there is no notifier {name!r}; there are {there}")
    try:
        open_notifier(known[name], time.time).send(_test_notice(name))
    except DeliveryError as error:
        raise CouldNotAskError(str(error)) from error
    print(f"{name} acknowledged the test notice", file=sys.stderr)
    return Code.PASS


def _test_notice(name: str) -> Notice:
    now = time.time()
    return Notice(
        id=f"test:{name}:{int(now * 1000)}",
        kind=NoticeKind.TEST,
        at=now,
        tenant="default",
        title="A test from serinus",
        text="This is what a notice looks like. Nothing happened to any rollout.",
        advice=f"It was sent by `serinus notify {name}`.",
    )
