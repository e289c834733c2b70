"""`serinus worker`: the process around a worker."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.serving import listening, settings_of

if TYPE_CHECKING:
    from api.settings import Settings

__all__ = ["settings_with", "work"]


def settings_with(
    config: Path | None,
    *,
    servers: Sequence[str] | None,
    store: str | None,
    **more: object,
) -> Settings:
    """File, environment and the flags that all commands of a worker have."""
    flags: dict[str, Any] = {"store": store, **more}
    if servers:
        flags["kafka"] = {"servers": servers}
    return settings_of(config, None, flags)


def work(
    config: Path | None,
    *,
    servers: Sequence[str] | None,
    store: str | None,
    packs: Sequence[Path] | None,
    own: Mapping[str, object | None],
) -> int:
    """Work until a signal; 0 then."""
    from pipelines.names import check_names

    check_names()
    given = {name: value for name, value in own.items() if value is not None}
    settings = settings_with(
        config, servers=servers, store=store, packs=packs, worker=given or None
    )
    from api.logs import configure_logs
    from api.worker_port import shown
    from api.working import Working
    from pipelines.topics.allocator import keep_freed_memory

    keep_freed_memory()
    configure_logs(settings.log.level, settings.log.format)
    working = Working(settings)
    with listening(settings.worker.host, settings.worker.port) as door, _told_to_end() as stop:
        host, port = door.getsockname()[:2]
        with shown(working, door):
            _greet(settings, working.name, f"http://{host}:{port}")
            working.run(stop)
    return 0


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Set by the first signal; those that come later change nothing."""
    stop = threading.Event()
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = {kind: signal.signal(kind, lambda *_: stop.set()) for kind in kinds}
    try:
        yield stop
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _greet(settings: Settings, name: str, url: str) -> None:
    from pipelines.stores.postgres_server import shown_url

    kafka = settings.kafka
    assert settings.store is not None
    print(
        f"serinus: worker {name} of group {kafka.group} reads {', '.join(kafka.read)} at"
        f" {', '.join(kafka.servers)}, keeps its state in"
        f" {shown_url(settings.store.get_secret_value())}, tells how it is at {url}/readyz",
        file=sys.stderr,
        flush=True,
    )
