from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from api.follow_settings import FollowSection, WatchSection
from api.logs_followed import open_following, open_syslog, show_following, show_syslog
from api.logs_settings import LogsSection
from api.settings import Settings
from api.syslog_settings import SyslogSection
from detector.errors import ConfigError
from detector.logs.lines import LogLines, Origin
from pipelines.testing.log_sink import MemoryLogSink


class Telling(MemoryLogSink):
    """Tells when it has taken something."""

    def __init__(self) -> None:
        super().__init__()
        self.took = threading.Event()

    def put(self, tenant: str, lines: LogLines) -> bool:
        taken = super().put(tenant, lines)
        self.took.set()
        return taken


def settings(data: Path, **logs: Any) -> Settings:  # noqa: ANN401 - as a file has them
    return Settings(data=data, logs=LogsSection(**logs))


def test_files_of_the_configuration_are_followed(tmp_path: Path) -> None:
    """Service, tenant and mapping are as the file says, and `/metrics` shows the lines."""
    (tmp_path / "a.log").write_text('{"texto": "no stock", "level": "error"}\n')
    (tmp_path / "own.yaml").write_text("name: own\ntext: [texto]\nlevel: [level]\n")
    watch = WatchSection(
        paths=(f"{tmp_path}/*.log",), service="cart", tenant="team-a", mapping="own"
    )
    own = settings(
        tmp_path / "data",
        files=FollowSection(watch=(watch,), first="start", silence_s=0.1, poll_s=0.05),
        mappings=(tmp_path / "own.yaml",),
    )
    sink = Telling()
    following = open_following(own, sink)
    assert following is not None
    registry = CollectorRegistry()
    show_following(registry, following)
    following.start()
    assert sink.took.wait(20)
    following.close()
    (line,) = sink.lines("team-a")
    assert (line.message, line.origin, line.level.name) == (
        b"no stock",
        Origin(service="cart"),
        "ERROR",
    )
    assert registry.get_sample_value("serinus_log_files_lines_total") == 1
    assert (tmp_path / "data" / "followed-files.json").exists()


def test_syslog_of_the_configuration_is_taken(tmp_path: Path) -> None:
    """… and shown, with what was wrong by name."""
    own = settings(
        tmp_path, syslog=SyslogSection(tcp="127.0.0.1:0", service="router", cluster="eu")
    )
    sink = Telling()
    syslog = open_syslog(own, sink)
    assert syslog is not None
    registry = CollectorRegistry()
    show_syslog(registry, syslog)
    syslog.start()
    with socket.create_connection(("127.0.0.1", syslog.tcp_port), timeout=20) as sender:
        sender.sendall(b"<11>1 - h app - - - \x1b[31mdown\n")
        assert sink.took.wait(20)
    syslog.close()
    (line,) = sink.lines()
    assert (line.message, line.origin) == (b"down", Origin(service="router", cluster="eu", pod="h"))
    assert registry.get_sample_value("serinus_syslog_lines_total") == 1
    assert registry.get_sample_value("serinus_syslog_flaws_total", {"flaw": "terminal"}) == 1


def test_nothing_is_opened_that_nobody_asked_for(tmp_path: Path) -> None:
    """The default reads no file and listens nowhere."""
    own = settings(tmp_path)
    assert open_following(own, MemoryLogSink()) is None
    assert open_syslog(own, MemoryLogSink()) is None


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"files": {"watch": [{"paths": []}]}}, "at least 1 item"),
        (
            {"files": {"watch": [{"paths": ["/x"], "zone": "Mars/Base"}]}},
            "no time zone 'Mars/Base'",
        ),
        ({"files": {"watch": [{"paths": ["/x"], "tenant": "../x"}]}}, "pattern"),
        ({"syslog": {"tcp": "6514"}}, "pattern"),
        ({"syslog": {"udp": ":514", "tls": {"cert_file": "a"}}}, "tls needs tcp"),
        ({"syslog": {"tcp": ":514", "tls": {"ca_file": "a"}}}, "need a cert_file"),
    ],
)
def test_a_mistake_in_the_configuration_is_told(section: dict[str, Any], words: str) -> None:
    """At the start, with what would be right."""
    with pytest.raises(ValidationError, match=words):
        LogsSection.model_validate(section)


def test_certificates_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    """A wrong path is no reason to listen in the clear."""
    own = settings(
        tmp_path, syslog={"tcp": "127.0.0.1:0", "tls": {"cert_file": f"{tmp_path}/none.pem"}}
    )
    with pytest.raises(ConfigError, match=r"logs\.syslog\.tls: certificates cannot be used"):
        open_syslog(own, MemoryLogSink())


def test_a_mapping_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    """Not when the first line comes."""
    watch = WatchSection(paths=("/none/*.log",), mapping="vectr")
    own = settings(tmp_path, files=FollowSection(watch=(watch,)))
    with pytest.raises(ConfigError, match="no mapping 'vectr'"):
        open_following(own, MemoryLogSink())
