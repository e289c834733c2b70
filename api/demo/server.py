"""The real serinus of the demo, in a process of its own; without a Prometheus it also scrapes.

Says its port on standard output once it listens, and ends when standard input ends.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn

from api.compose import open_gate
from api.demo.targets import read_targets
from api.demo.tether import die_with_parent
from api.demo.web import listen
from api.demo.wire import Ready, ServerConfig
from api.logs import configure_logs
from api.serving import serving_app
from api.settings import Settings, load_settings
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.scrape import Scraper

__all__ = ["following", "main"]

INTERVAL_S = 1.0
LOOK_AGAIN_S = 0.25
KEEP_S = 2 * 3600.0
LOG = {"level": "info", "format": "console"}


@contextlib.contextmanager
def following(targets: Path, store: MemorySource, *, interval_s: float) -> Iterator[Scraper]:
    """Scrape what a targets file names into `store`, and follow the file as it changes."""
    ended = threading.Event()
    with Scraper(read_targets(targets), interval_s, store) as scraper:
        watcher = threading.Thread(
            target=_follow, args=(targets, scraper, ended), name="targets", daemon=True
        )
        watcher.start()
        try:
            yield scraper
        finally:
            ended.set()
            watcher.join()


def _follow(targets: Path, scraper: Scraper, ended: threading.Event) -> None:
    seen = 0
    while not ended.wait(LOOK_AGAIN_S):
        changed = targets.stat().st_mtime_ns
        if changed != seen:
            seen = changed
            scraper.targets = read_targets(targets)


@contextlib.contextmanager
def _source(config: ServerConfig) -> Iterator[Source | None]:
    """The store that we scrape into; None where a Prometheus scrapes."""
    if config.prometheus is not None:
        yield None
        return
    store = MemorySource(retention_s=KEEP_S)
    with following(Path(config.targets), store, interval_s=INTERVAL_S):
        yield store


def _settings(config: ServerConfig) -> Settings:
    url = config.prometheus or "http://127.0.0.1"
    return load_settings(
        flags={"data": config.data, "port": config.port, "source": {"url": url}, "log": LOG}
    )


def _serve(config: ServerConfig, listener: socket.socket) -> None:
    settings = _settings(config)
    configure_logs(settings.log.level, settings.log.format)
    Path(config.data).mkdir(parents=True, exist_ok=True)
    with listener, _source(config) as source:
        opened = open_gate(settings, source=source)
        # The very app that `serinus serve` serves.
        app = serving_app(opened, settings, on_stop=opened.close)
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        )
        threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
        port = listener.getsockname()[1]
        print(msgspec.json.encode(Ready(port)).decode(), flush=True)  # noqa: T201
        server.run(sockets=[listener])


def _end_with_input(server: uvicorn.Server) -> None:
    """The parent closes our standard input when it ends us, or is gone."""
    sys.stdin.read()
    server.should_exit = True


def main() -> None:
    """Be the server, as the JSON of the first argument says."""
    config = msgspec.json.decode(sys.argv[1], type=ServerConfig)
    die_with_parent(config.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        listener = listen(config.port)
    except OSError as error:
        sys.exit(f"port {config.port} of 127.0.0.1 cannot be had: {error.strerror}")
    _serve(config, listener)


if __name__ == "__main__":
    main()
