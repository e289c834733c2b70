"""A Loki of one process, with its data in a folder: what the tests against a real one share."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers import free_port, require_server, running_server

__all__ = ["posted", "running_loki"]


@contextmanager
def running_loki(folder: Path) -> Iterator[str]:
    """Start it with a store of files, ready to answer; stopped at the end."""
    binary, inner = require_server("loki"), free_port()
    folder.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        config = folder / "loki.json"
        # What is JSON is YAML, too.
        config.write_text(json.dumps(_config(folder / "data", port, inner)), encoding="utf-8")
        return [str(binary), f"-config.file={config}"]

    with running_server(command, folder, "loki.log", "/ready") as server:
        yield server.url


def _config(data: Path, port: int, inner: int) -> dict[str, object]:
    here = "127.0.0.1"
    period = {"prefix": "index_", "period": "24h"}
    schema = {"from": "2024-01-01", "store": "tsdb", "object_store": "filesystem", "schema": "v13"}
    files = {"chunks_directory": str(data / "chunks"), "rules_directory": str(data / "rules")}
    return {
        "auth_enabled": False,
        "server": {
            "http_listen_address": here,
            "http_listen_port": port,
            "grpc_listen_address": here,
            "grpc_listen_port": inner,
            "log_level": "warn",
        },
        "common": {
            "path_prefix": str(data),
            "replication_factor": 1,
            "instance_addr": here,
            "ring": {"kvstore": {"store": "inmemory"}, "instance_addr": here},
            "storage": {"filesystem": files},
        },
        "ingester": {"lifecycler": {"min_ready_duration": "0s", "final_sleep": "0s"}},
        "schema_config": {"configs": [{**schema, "index": period}]},
        "limits_config": {"reject_old_samples": False, "discover_service_name": []},
        "analytics": {"reporting_enabled": False},
    }


def posted(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of a push."""
    request = urllib.request.Request(f"{url}/loki/api/v1/push", data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
