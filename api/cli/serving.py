"""`serinus serve`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.errors import ConfigError

__all__ = ["serve", "settings_of"]

PRUNE_EVERY_S = 3600.0
GRACE_S = 25


def settings_of(
    config: Path | None, prometheus: str | None, flags: Mapping[str, object | None]
) -> Any:  # noqa: ANN401 - Settings, imported late
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
    return _run(settings)


def _run(settings: Any) -> int:  # noqa: ANN401
    import uvicorn

    from api.app import create_app
    from api.compose import open_gate
    from api.logs import configure_logs
    from api.probe import source_probe, store_probe
    from pipelines.flows.curves import Curves

    configure_logs(settings.log.level, settings.log.format)
    opened = open_gate(settings)
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        opened.close()

    app = create_app(
        opened.gate,
        settings,
        source=opened.source,
        store_probe=store_probe(opened.stores),
        source_probe=source_probe(opened.source),
        chart=Curves(opened.stores).of,
        on_stop=stop,
    )
    threading.Thread(target=_prune, args=(opened.gate, stopped), daemon=True).start()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=65,
            h11_max_incomplete_event_size=32 * 1024,
            limit_concurrency=1000,
        )
    )
    _greet(settings)
    server.run()
    if not server.started:
        raise ConfigError(f"cannot listen on {settings.host}:{settings.port}")
    return 0


def _greet(settings: Any) -> None:  # noqa: ANN401
    if settings.port:
        url = f"http://{settings.host}:{settings.port}"
        print(f"serinus: {url}/rollouts reads {settings.source.url}", file=sys.stderr)


def _prune(gate: Any, stopped: threading.Event) -> None:  # noqa: ANN401
    """Delete what is old, now and then."""
    import structlog

    from detector.errors import StoreError

    log = structlog.get_logger("serinus.retention")
    while not stopped.wait(PRUNE_EVERY_S):
        try:
            gone = gate.prune()
        except StoreError as error:
            log.warning("could not delete what is old", error=str(error))
        else:
            log.info("deleted what is old", verdicts=gone.verdicts, chunks=gone.chunks)
