"""`serinus serve`."""

from __future__ import annotations

import errno
import gc
import ipaddress
import itertools
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import ConfigError

if TYPE_CHECKING:
    from api.compose import Opened
    from api.settings import Settings
    from api.streaming import Streaming
    from detector.gate.telling import Notice
    from pipelines.flows.gate import Gate

__all__ = ["listening", "serve", "settings_of"]

PRUNE_EVERY_S = 3600.0
TIDY_EVERY_S = 20.0
GRACE_S = 25
BACKLOG = 2048


def settings_of(
    config: Path | None, prometheus: str | None, flags: Mapping[str, object | None]
) -> Settings:
    """File, environment and flags as one frozen tree."""
    from api.settings import load_settings

    given: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
    if prometheus is not None:
        given["source"] = {"url": prometheus}
    return load_settings(config, given)


def serve(
    *, config: Path | None, prometheus: str | None, flags: Mapping[str, object | None]
) -> int:
    """Serve until SIGTERM or Ctrl-C; what is under way is answered first."""
    from pipelines.names import check_names

    check_names()
    settings = settings_of(config, prometheus, flags)
    token = settings.token.get_secret_value() if settings.token else None
    from api.auth.access import check_exposure

    check_exposure(settings.host, token=token, insecure=settings.insecure)
    with listening(settings.host, settings.port) as door:
        _run(settings, door)
    return 0


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The socket, bound before anything is opened; `ConfigError` where that cannot be."""
    family = socket.AF_INET6 if _is_ipv6(host) else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(_unusable(host, port, error)) from error
    with door:
        yield door


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _unusable(host: str, port: int, error: OSError) -> str:
    place = f"cannot listen on {host}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place}: the port is in use, perhaps by another serinus; give another --port"
        case errno.EACCES:
            return f"{place}: ports below 1024 need rights; give another --port"
    return f"{place}: {error.strerror or error}; is --host an address of this machine?"


def _run(settings: Settings, door: socket.socket) -> None:
    import uvicorn

    from api.compiling import compiling
    from api.logs import configure_logs
    from api.serving import serving_app
    from api.streaming import open_streaming
    from api.telling import open_telling, watch_telling

    configure_logs(settings.log.level, settings.log.format)
    streaming = open_streaming(settings) if settings.stream.enabled else None
    try:
        opened = _gate(settings, streaming)
    except BaseException:
        if streaming is not None:
            streaming.close()
        raise
    telling = open_telling(settings, opened.stores, charts=_charts(settings, opened, streaming))
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        telling.stop()
        if streaming is not None:
            streaming.close()
        opened.close()

    app = serving_app(opened, settings, on_stop=stop, streaming=streaming)
    watch_telling(app.state.context.telemetry.registry, telling, opened.stores.outbox)
    app.state.context.weekly.join(telling.rounds)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            # uvloop where it is; h11 always, since it alone bounds the size of headers.
            loop="auto",
            http="h11",
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=65,
            h11_max_incomplete_event_size=32 * 1024,
            limit_concurrency=1000,
        )
    )
    for chore in (
        lambda: _prune(opened.gate, stopped),
        lambda: _forget(streaming, stopped),
        lambda: _tidy(stopped),
    ):
        threading.Thread(target=chore, daemon=True).start()
    telling.start()
    _greet(settings, door)
    with compiling(settings), _calm():
        server.run(sockets=[door])


def _gate(settings: Settings, streaming: Streaming | None) -> Opened:
    """The gate, which reads our own counters beside its source where lines are taken."""
    from api.compose import open_gate, source_of

    if streaming is None:
        return open_gate(settings)
    if not settings.logs.enabled:
        return open_gate(settings, baselines=streaming.baselines)
    from api.lines import texts_of, with_own

    return open_gate(
        settings,
        source=with_own(source_of(settings), streaming, settings.logs.tenant),
        baselines=streaming.baselines,
        texts=texts_of(streaming),
        awaited=lambda: streaming.awaited,
    )


def _charts(
    settings: Settings, opened: Opened, streaming: Streaming | None
) -> Callable[[Notice], bytes]:
    """Pictures for messages: of reports, and of incidents where there is a stream."""
    from api.reporting import Reporting, pictured, wall_of

    reporting = Reporting(store=opened.stores.reports, wall=wall_of(settings))
    if streaming is None:
        return pictured(reporting, None)
    from pipelines.notify.incident_chart import IncidentCharts

    incidents = IncidentCharts(
        anomalies=lambda: streaming.anomalies,
        source=opened.source,
        tenants=frozenset({"default", settings.stream.pull.tenant, settings.logs.tenant}),
    )
    return pictured(reporting, incidents)


@contextmanager
def _calm() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more; an orderly end is no death by signal."""
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = {kind: signal.signal(kind, lambda *_: None) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _greet(settings: Settings, door: socket.socket) -> None:
    host = f"[{settings.host}]" if _is_ipv6(settings.host) else settings.host
    url = f"http://{host}:{door.getsockname()[1]}"
    guard = "with a token" if settings.token else "without a token"
    source = settings.source
    reads = source.url if source.kind == "prometheus" else f"the source {source.kind!r}"
    print(
        f"serinus: {url}/rollouts ({guard}) reads {reads}, keeps its records in {_place(settings)}",
        file=sys.stderr,
        flush=True,
    )


def _place(settings: Settings) -> str:
    if settings.store is None:
        return str(settings.data.absolute())
    from pipelines.stores.postgres_server import shown_url

    return shown_url(settings.store.get_secret_value())


def _tidy(stopped: threading.Event) -> None:
    """Collect cycles among what is new, and never look at the rest again until an hour is over.

    A rollout under way is thousands of objects without a cycle. Looking through those of a thousand
    rollouts holds up every answer for a second, and Python would do so whenever it likes.
    """
    rounds = int(PRUNE_EVERY_S / TIDY_EVERY_S)
    for number in itertools.count(1):
        if number % rounds == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
        if stopped.wait(TIDY_EVERY_S):
            return


def _prune(gate: Gate, stopped: threading.Event) -> None:
    """Delete what is old, now and then."""
    import structlog

    from detector.errors import StoreError

    log = structlog.get_logger("serinus.retention")
    while not stopped.wait(PRUNE_EVERY_S):
        try:
            gone = gate.people.prune()
        except StoreError as error:
            log.warning("could not delete what is old", error=str(error))
        else:
            log.info("deleted what is old", verdicts=gone.verdicts, chunks=gone.chunks)


def _forget(streaming: Streaming | None, stopped: threading.Event) -> None:
    """Delete old anomalies, now and then."""
    import structlog

    from detector.errors import StoreError

    log = structlog.get_logger("serinus.retention")
    while streaming is not None and not stopped.wait(PRUNE_EVERY_S):
        try:
            gone = streaming.forget(time.time())
        except StoreError as error:
            log.warning("could not delete old anomalies", error=str(error))
        else:
            log.info("deleted old anomalies", anomalies=gone)
