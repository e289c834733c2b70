"""Real servers for the contract tests: where they are, and how they are started and stopped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = [
    "RunningPostgres",
    "RunningPrometheus",
    "fill_victoriametrics",
    "find_server",
    "free_port",
    "make_blocks",
    "require_server",
    "running_alertmanager",
    "running_postgres",
    "running_prometheus",
    "running_server",
    "running_victoriametrics",
    "scrape_config",
]

ROOT = Path(__file__).resolve().parent.parent


def _debian(name: str) -> tuple[str, ...]:
    """Where Debian keeps a program of PostgreSQL, the newest first: not on PATH."""
    return tuple(f"/usr/lib/postgresql/{version}/bin/{name}" for version in range(20, 12, -1))


# name: variable, then where to look without it (a bare word means on PATH)
PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "prometheus2": ("SERINUS_PROMETHEUS2", ("prometheus",)),
    "promtool": ("SERINUS_PROMTOOL", ("promtool",)),
    "alertmanager": ("SERINUS_ALERTMANAGER", ("prometheus-alertmanager",)),
    "prometheus3": ("SERINUS_PROMETHEUS3", (str(ROOT / ".servers/bin/prometheus3"),)),
    "thanos": ("SERINUS_THANOS", (str(ROOT / ".servers/bin/thanos"),)),
    "victoriametrics": ("SERINUS_VICTORIAMETRICS", ("victoria-metrics",)),
    "postgres": ("SERINUS_POSTGRES", ("postgres", *_debian("postgres"))),
    "go": ("SERINUS_GO", ("go", str(ROOT / ".servers/go/bin/go"), "/usr/local/go/bin/go")),
    "controllers": ("SERINUS_CONTROLLERS", (str(ROOT / ".servers/bin/controllers"),)),
    "collector": ("SERINUS_COLLECTOR", (str(ROOT / ".servers/bin/collector"),)),
    "loki": ("SERINUS_LOKI", (str(ROOT / ".servers/bin/loki"),)),
    "agent": ("SERINUS_AGENT", (str(ROOT / ".servers/bin/agent"),)),
    "apiserver": ("SERINUS_APISERVER", (str(ROOT / ".servers/bin/apiserver"),)),
    "etcd": ("SERINUS_ETCD", ("etcd",)),
    "kafka": ("SERINUS_KAFKA4", (str(ROOT / ".servers/bin/kafka"),)),
    "chromium": ("SERINUS_CHROMIUM", ("chromium",)),
    # Where Debian keeps what is for administrators, people have no PATH to.
    "rsyslog": ("SERINUS_RSYSLOG", ("rsyslogd", "/usr/sbin/rsyslogd")),
    "logrotate": ("SERINUS_LOGROTATE", ("logrotate", "/usr/sbin/logrotate")),
}
# Built for `make e2e` alone.
E2E_ONLY = frozenset({"agent", "apiserver", "collector", "etcd", "loki", "thanos"})
READY_WITHIN_S = 30.0
STARTS = 3


def find_server(name: str) -> Path | None:
    """The binary of a server, or None when this machine does not have it."""
    variable, places = PLACES[name]
    chosen = os.environ.get(variable)
    candidates = (chosen,) if chosen else places
    found = (shutil.which(candidate) for candidate in candidates)
    return next((Path(path) for path in found if path), None)


def require_server(name: str) -> Path:
    """The binary of a server; without it the test is skipped, or fails where CI=true."""
    binary = find_server(name)
    if binary is not None:
        return binary
    mend = "tools/servers.sh e2e" if name in E2E_ONLY else "make servers"
    message = f"{name} is not installed here: run `{mend}` or set {PLACES[name][0]}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPrometheus:
    """A server of ours with the API of Prometheus; `log` is the file with its messages."""

    url: str
    port: int
    pid: int
    data: Path
    log: Path


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def scrape_config(
    *targets: str, interval: str = "1s", job: str = "shop", labels: dict[str, str] | None = None
) -> str:
    """A configuration that scrapes `host:port` targets, or without any nothing."""
    lines = ["global:", f"  scrape_interval: {interval}", f"  scrape_timeout: {interval}"]
    if targets:
        lines += ["scrape_configs:", f"  - job_name: {job}", "    static_configs:"]
        lines += [f"      - targets: {list(targets)}"]
        lines += ["        labels:"] if labels else []
        lines += [f"          {name}: {value!r}" for name, value in (labels or {}).items()]
    return "\n".join(lines) + "\n"


@contextmanager
def running_prometheus(
    name: str,
    folder: Path,
    *,
    config: str | None = None,
    arguments: Sequence[str] = (),
    ready: str | None = "/-/ready",
) -> Iterator[RunningPrometheus]:
    """Start `prometheus2` or `prometheus3` on a free port, ready to answer; stop it at the end.

    `ready` is the path that says so; with None (where it wants TLS or a password) the caller asks.

    `folder` holds its configuration, log and, in `data`, its blocks (see `make_blocks`).
    A missing binary skips the test as `require_server` says.
    """
    binary = require_server(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(config or scrape_config(), encoding="utf-8")

    def command(port: int) -> list[str]:
        return [
            str(binary),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address=127.0.0.1:{port}",
            *arguments,
        ]

    with running_server(command, folder, "prometheus.log", ready) as server:
        yield server


@contextmanager
def running_victoriametrics(
    folder: Path, *, config: str | None = None, arguments: Sequence[str] = ()
) -> Iterator[RunningPrometheus]:
    """Start a VictoriaMetrics of one node like `running_prometheus`; with `config` it scrapes."""
    binary = require_server("victoriametrics")
    folder.mkdir(parents=True, exist_ok=True)
    scrapes = folder / "scrape.yml"
    if config is not None:
        scrapes.write_text(config, encoding="utf-8")

    def command(port: int) -> list[str]:
        return [
            str(binary),
            f"-storageDataPath={folder / 'data'}",
            "-retentionPeriod=10y",
            f"-httpListenAddr=127.0.0.1:{port}",
            *([f"-promscrape.config={scrapes}"] if config is not None else []),
            *arguments,
        ]

    with running_server(command, folder, "victoriametrics.log", "/health") as server:
        yield server


@contextmanager
def running_alertmanager(folder: Path, config: str) -> Iterator[RunningPrometheus]:
    """Start an Alertmanager, no cluster, on a free port; stop it at the end."""
    binary = require_server("alertmanager")
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")

    def command(port: int) -> list[str]:
        return [
            str(binary),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]

    with running_server(command, folder, "alertmanager.log", "/-/ready") as server:
        yield server


def fill_victoriametrics(server: RunningPrometheus, samples: str) -> None:
    """Import lines of the text format, times in milliseconds; they can be read at once."""
    for path, body in (("/api/v1/import/prometheus", samples), ("/internal/force_flush", "")):
        request = urllib.request.Request(f"{server.url}{path}", data=body.encode())
        with urllib.request.urlopen(request, timeout=60):
            pass


@dataclass(frozen=True, slots=True)
class RunningPostgres:
    """A PostgreSQL of ours; `url` names its first, empty database."""

    url: str
    port: int
    program: Path
    data: Path

    def database(self, name: str) -> str:
        """The address of a new, empty database."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'create database "{name}" template template0')
        return self.url.rsplit("/", 1)[0] + f"/{name}"

    def stop(self) -> None:
        """Stop it at once, as a machine that fails would; what was committed stays."""
        if (self.data / "postmaster.pid").exists():
            self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it on its port and return when it answers."""
        # Durable enough for processes that are killed: no test cuts the power.
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c fsync=off -c max_connections=200"
        self._control("start", "-l", str(self.data / "server.log"), "-o", options)

    def _control(self, *words: str) -> None:
        control = [str(self.program.with_name("pg_ctl")), "-D", str(self.data), "-w", *words]
        _as_postgres(control, self.data)


def _as_postgres(command: list[str], folder: Path) -> None:
    """Run as whom it lets itself be run: never as root."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command,
        cwd=folder,
        user=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} {command[-1]}: {done.stderr.decode(errors='replace')}")


@contextmanager
def running_postgres() -> Iterator[RunningPostgres]:
    """Start a PostgreSQL on a free port with data of its own; stop it at the end."""
    program = require_server("postgres").resolve()
    # Beside pytest's folders: those are closed to the user that it runs as.
    with tempfile.TemporaryDirectory(prefix="serinus-postgres-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        port, data = free_port(), Path(folder)
        url = f"postgresql://serinus@127.0.0.1:{port}/postgres"
        server = RunningPostgres(url, port, program, data / "data")
        words = ["--auth=trust", "--username=serinus", "--no-sync", "--encoding=UTF8"]
        _as_postgres([str(program.with_name("initdb")), *words, "-D", str(server.data)], data)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def make_blocks(openmetrics: str, data: Path) -> None:
    """Write samples in the OpenMetrics format (ending in `# EOF`) as blocks into `data`."""
    promtool = require_server("promtool")
    data.mkdir(parents=True, exist_ok=True)
    text = data.parent / "history.om"
    text.write_text(openmetrics, encoding="utf-8")
    # Of days each: promtool reads the whole text once for each block, which are of two hours else.
    long = "--max-block-duration=162h"
    command = [str(promtool), "tsdb", "create-blocks-from", long, "openmetrics", str(text)]
    subprocess.run([*command, str(data)], check=True, capture_output=True, timeout=120)


@contextmanager
def running_server(
    command: Callable[[int], list[str]], folder: Path, log: str, ready: str | None
) -> Iterator[RunningPrometheus]:
    """Start what `command` says for a free port until `ready` answers; stop it at the end."""
    process, port = _start(command, folder / log, ready)
    try:
        yield RunningPrometheus(
            url=f"http://127.0.0.1:{port}",
            port=port,
            pid=process.pid,
            data=folder / "data",
            log=folder / log,
        )
    finally:
        _stop(process)


def _start(
    command: Callable[[int], list[str]], log: Path, ready: str | None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start until it is ready: another process may take the free port first."""
    for _ in range(STARTS):
        port = free_port()
        with log.open("ab") as sink:
            process = subprocess.Popen(
                command(port), stdout=sink, stderr=subprocess.STDOUT, cwd=log.parent
            )
        if ready is None or _ready(process, f"http://127.0.0.1:{port}{ready}"):
            return process, port
        _stop(process)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{command(0)[0]} is not ready after {STARTS} starts:\n{tail}")


def _ready(process: subprocess.Popen[bytes], url: str) -> bool:
    give_up = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)
