"""A real Apache Kafka for tests: one node in both roles, on free ports, with data of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.servers import free_port, require_server

__all__ = ["RunningKafka", "running_kafka"]

# 16 bytes in the alphabet that Kafka's ids have.
CLUSTER = "c2VyaW51cy10ZXN0cy0wMQ"
READY_WITHIN_S = 60.0


@dataclass(slots=True)
class RunningKafka:
    """One node; `address` is for clients. It can be stopped, killed and started again.

    `extra` goes into its properties, with `listeners` beside the plain one by name and port.
    """

    program: Path
    folder: Path
    port: int
    controller: int
    extra: Mapping[str, str] = field(default_factory=dict)
    listeners: Mapping[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Its messages."""
        return self.folder / "kafka.log"

    def format(self) -> None:
        """Make its storage."""
        properties = self.folder / "server.properties"
        lines = [f"{name}={value}" for name, value in self._properties().items()]
        properties.write_text("\n".join(lines) + "\n", encoding="utf-8")
        words = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(properties)]
        done = subprocess.run(
            [str(self.program), *words],
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {(done.stdout + done.stderr).decode()}")

    def start(self) -> None:
        """Start it on its ports and return when it answers."""
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                [str(self.program), "kafka.Kafka", str(self.folder / "server.properties")],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop it as a machine that fails would; what was acknowledged is in files."""
        self._end(signal.SIGKILL)

    def forget(self) -> None:
        """Delete all topics, for the next test; start it first where it does not run."""
        if self.process is None:
            self.start()
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            own = [one for one in admin.list_topics() if not one.startswith("__")]
            if own:
                admin.delete_topics(own)
        finally:
            admin.close()

    def _end(self, with_signal: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(with_signal)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=30)
        self.process = None

    def _wait(self) -> None:
        give_up = time.monotonic() + READY_WITHIN_S
        while self.process is not None and self.process.poll() is None:
            if _listens(self.port) and _answers(self.address):
                return
            if time.monotonic() > give_up:
                break
            time.sleep(0.1)
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
        self.kill()
        raise RuntimeError(f"Kafka is not ready:\n{tail}")

    def _properties(self) -> dict[str, str]:
        inside = f"CONTROLLER://127.0.0.1:{self.controller}"
        outside = [f"PLAINTEXT://127.0.0.1:{self.port}"]
        outside += [f"{name}://localhost:{port}" for name, port in self.listeners.items()]
        protocols = ["CONTROLLER:PLAINTEXT", "PLAINTEXT:PLAINTEXT"]
        protocols += [f"{name}:{name}" for name in self.listeners]
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": ",".join([*outside, inside]),
            "advertised.listeners": ",".join(outside),
            "listener.security.protocol.map": ",".join(protocols),
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller}",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "2",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # A test waits for no other members, and for a dead one not long.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            **self.extra,
        }


@contextmanager
def running_kafka(
    extra: Mapping[str, str] | None = None, listeners: tuple[str, ...] = ()
) -> Iterator[RunningKafka]:
    """Format and start a Kafka; stop it at the end.

    `listeners` are protocols (`SSL`, `SASL_PLAINTEXT`) on `localhost` beside the plain one.
    """
    program = require_server("kafka").resolve()
    with tempfile.TemporaryDirectory(prefix="serinus-kafka-") as folder:
        server = RunningKafka(
            program=program,
            folder=Path(folder),
            port=free_port(),
            controller=free_port(),
            extra=extra or {},
            listeners={name: free_port() for name in listeners},
        )
        server.format()
        try:
            server.start()
            yield server
        finally:
            server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(address: str) -> bool:
    """Whether it tells of itself as a broker: before that it takes connections, and no more."""
    try:
        client = KafkaAdminClient(
            bootstrap_servers=address, bootstrap_timeout_ms=5_000, request_timeout_ms=5_000
        )
    except KafkaError:
        return False
    try:
        return bool(client.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        client.close()
