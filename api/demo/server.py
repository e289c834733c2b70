"""The real serinus of the demo, in a process of its own; without a Prometheus it also scrapes.

Says its port on standard output once it listens, and ends when standard input ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn

from api.demo.targets import read_targets
from api.demo.tether import die_with_parent
from api.demo.web import listen
from pipelines.sources.memory import MemorySource
from pipelines.sources.scrape import Scraper

__all__ = ["Ready", "ServerConfig", "following", "main"]

INTERVAL_S = 1.0
LOOK_AGAIN_S = 0.25
KEEP_S = 2 * 3600.0


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What it is started with; `prometheus` is an address, None scrapes the `targets` file."""

    parent: int
    data: str
    targets: str
    port: int = 0
    prometheus: str | None = None


class Ready(msgspec.Struct, frozen=True):
    """What it says once it listens."""

    port: int


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
        changed = os.stat(targets).st_mtime_ns
        if changed != seen:
            seen = changed
            scraper.targets = read_targets(targets)


def _serve(config: ServerConfig) -> None:
    from api.app import create_app

    with listen(config.port) as listener, _source(config) as source:
        gate = _gate(config, source)
        server = uvicorn.Server(uvicorn.Config(create_app(gate), log_level="warning"))
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
    _serve(config)


if __name__ == "__main__":
    main()
