"""Certificates are the host's, although the connection goes to an address that was looked at."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.errors import DeliveryError
from pipelines.notify.webhook import WebhookNotifier
from pipelines.sources.settings import Tls
from pipelines.testing import FaultServer
from tests.pipelines.notify.receiver import notice, settings

NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` alone, which is its own authority."""
    folder = tmp_path_factory.mktemp("certificates")
    words = ["openssl", "req", "-x509", *NEW, "-keyout", "key.pem", "-out", "cert.pem"]
    words += ["-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(words, check=True, capture_output=True, cwd=folder, timeout=60)
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[FaultServer]:
    """A receiver that speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with FaultServer(context=context) as server:
        yield server


def send(url: str, ca: Path | None) -> None:
    """A notice to that URL."""
    tls = Tls(ca_file=None if ca is None else str(ca))
    WebhookNotifier(settings(url, tls=tls), lambda: 0.0).send(notice())


def test_the_certificate_of_the_host_is_accepted(server: FaultServer, folder: Path) -> None:
    """By the name in the URL, not by the address that it was resolved to."""
    send(server.url.replace("127.0.0.1", "localhost"), folder / "cert.pem")
    assert server.requests[0].headers["host"].startswith("localhost:")


def test_another_host_s_certificate_is_not(server: FaultServer, folder: Path) -> None:
    """Somebody who answers at the right address with a wrong name is not told."""
    with pytest.raises(DeliveryError, match="cannot connect to 127"):
        send(server.url, folder / "cert.pem")
    assert server.requests == []


def test_an_unknown_authority_is_not(server: FaultServer) -> None:
    """Without the private authority in the settings."""
    with pytest.raises(DeliveryError, match="cannot connect to localhost"):
        send(server.url.replace("127.0.0.1", "localhost"), None)
    assert server.requests == []
