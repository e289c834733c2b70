"""The real serinus of the demo, in a process of its own; without a Prometheus it also scrapes.

Says its port on standard output once it listens, and ends when standard input ends.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn

from api.compose import open_gate, source_of
from api.demo.canary import TIME_SCALE
from api.demo.targets import read_targets
from api.demo.tether import die_with_parent
from api.demo.web import listen
from api.demo.wire import COMPILED, Reading, Ready, ServerConfig
from api.lines import texts_of, with_own
from api.logs import configure_logs
from api.serving import serving_app
from api.settings import Settings, load_settings
from api.streaming import Streaming, open_streaming
from detector.errors import StoreError
from pipelines.flows.logs_pace import LIFE
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.scrape import Scraper

__all__ = ["following", "main"]

INTERVAL_S = 1.0
LOOK_AGAIN_S = 0.25
KEEP_S = 2 * 3600.0
LOG = {"level": "info", "format": "console"}
# Lines that waited for the compiler are counted by what they say, not by when.
BEHIND_S = 10.0
LOOK_AGAIN_AT_LINES_S = 0.1
FOR_EVER_S = 1e6


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
        flags={
            "data": config.data,
            "port": config.port,
            "source": {"url": url},
            "log": LOG,
            "logs": {"files": _files(config.logs), "behind_s": BEHIND_S},
        }
    )


def _files(pattern: str) -> dict[str, object]:
    """The log files of the pods, followed as many times faster as the demo is."""
    pace = {"poll_s": 0.1, "scan_s": 2.0 * TIME_SCALE, "silence_s": TIME_SCALE}
    return {"watch": [{"paths": [pattern]}] if pattern else [], "first": "start", **pace}


class _Compiled:
    """Whether loops are compiled: what the stream waits for before it opens."""

    def __init__(self, config: ServerConfig) -> None:
        self._known = threading.Event()
        self._stopped = False
        if config.is_compiled:
            self._known.set()

    def wait(self) -> None:
        """Until they are; `StoreError` when the end came first."""
        self._known.wait()
        if self._stopped:
            raise StoreError("the demo ends")

    def hear(self, line: str) -> None:
        """What the demo says."""
        if line.strip() == COMPILED:
            self._known.set()

    def stop(self) -> None:
        """Nobody is to wait any longer."""
        self._stopped = True
        self._known.set()


def _serve(config: ServerConfig, listener: socket.socket) -> None:
    settings = _settings(config)
    configure_logs(settings.log.level, settings.log.format)
    Path(config.data).mkdir(parents=True, exist_ok=True)
    with listener, _source(config) as source:
        compiled = _Compiled(config)
        streaming = open_streaming(settings, pace=LIFE.faster(1 / TIME_SCALE), before=compiled.wait)
        opened = open_gate(
            settings,
            source=with_own(
                source or source_of(settings), streaming, settings.logs.tenant, look_s=TIME_SCALE
            ),
            texts=texts_of(streaming),
            awaited=lambda: streaming.awaited,
        )

        def stop() -> None:
            compiled.stop()
            streaming.close()
            opened.close()

        # The very app that `serinus serve` serves.
        app = serving_app(opened, settings, on_stop=stop, streaming=streaming)
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        )
        threading.Thread(target=_obey, args=(server, compiled), daemon=True).start()
        threading.Thread(target=_tell_of_lines, args=(streaming,), daemon=True).start()
        port = listener.getsockname()[1]
        _say(Ready(port))
        server.run(sockets=[listener])


def _say(message: Ready | Reading) -> None:
    print(msgspec.json.encode(message).decode(), flush=True)  # noqa: T201


def _obey(server: uvicorn.Server, compiled: _Compiled) -> None:
    """The parent closes our standard input when it ends us, or is gone."""
    for line in sys.stdin:
        compiled.hear(msgspec.json.decode(line, type=str))
    server.should_exit = True


def _tell_of_lines(streaming: Streaming) -> None:
    """Say it once lines are counted: what a gate is asked from then on, it can answer from logs."""
    streaming.wait(FOR_EVER_S)
    while not (streaming.takes_lines and (lines := streaming.logs.lines.meters.lines)):
        time.sleep(LOOK_AGAIN_AT_LINES_S)
    _say(Reading(lines))


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
