"""A real Prometheus that scrapes the demo shop."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path

import httpx2

from api.demo.children import Child, ChildError, Children, python
from api.demo.web import listen
from detector.errors import ConfigError

__all__ = ["find_prometheus", "start_prometheus"]

# Where `make servers` says the binaries are, then the plain word on PATH.
VARIABLES = ("SERINUS_PROMETHEUS3", "SERINUS_PROMETHEUS2")
READY_WITHIN_S = 60.0
CONFIG = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: shop
    file_sd_configs:
      - files: [{targets}]
        refresh_interval: 1s
"""


def find_prometheus() -> Path:
    """The binary; `ConfigError` says how to get one."""
    named = [os.environ[name] for name in VARIABLES if os.environ.get(name)]
    for candidate in (*named, "prometheus"):
        if found := shutil.which(candidate):
            return Path(found)
    raise ConfigError(
        "no Prometheus here: put `prometheus` on PATH or its path into SERINUS_PROMETHEUS2, "
        "or leave out --prometheus"
    )


async def start_prometheus(children: Children, targets: Path) -> tuple[Child, str]:
    """Start it on a free port, ready to answer; the child and its address."""
    binary = find_prometheus()
    config = children.folder / "prometheus.yml"
    config.write_text(CONFIG.format(targets=targets), encoding="utf-8")
    with listen() as probe:
        port = probe.getsockname()[1]
    child = await children.start(
        "prometheus",
        python(
            "api.demo.tether",
            str(os.getpid()),
            str(binary),
            f"--config.file={config}",
            f"--storage.tsdb.path={children.folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ),
    )
    url = f"http://127.0.0.1:{port}"
    await _ready(child, url)
    return child, url


async def _ready(child: Child, url: str) -> None:
    give_up = time.monotonic() + READY_WITHIN_S
    async with httpx2.AsyncClient(trust_env=False, timeout=2.0) as client:
        while child.code is None and time.monotonic() < give_up:
            try:
                if (await client.get(f"{url}/-/ready")).is_success:
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise ChildError(f"Prometheus is not ready:\n{child.tail()}")
