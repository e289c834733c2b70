"""`serinus init gate` on a real Prometheus: proved, then written, or refused and not written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.api.cli.served import serinus
from tests.docs import prometheus
from tests.servers import make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two hours of a shop."""
    with prometheus.running(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


def init(url: str, *words: str, controller: str = "argo") -> tuple[int, str, str]:
    """Exit code, output, and what was said beside it."""
    done = serinus("init", "gate", "--for", controller, "--prometheus", url, *words)
    return done.exit_code, done.stdout, done.stderr


def test_the_gate_is_proved_and_printed(url: str) -> None:
    """The proof beside it, so that the YAML can be piped."""
    code, text, said = init(url, "--service", "checkout")
    assert code == 0, said
    template = yaml.safe_load(text)
    values = {arg["name"]: arg.get("value") for arg in template["spec"]["args"]}
    assert (values["rollout"], values["namespace"]) == ("checkout", "shop")
    assert "It can fail" in said
    assert "would have let it on" in said
    assert "0 of 40 placebos" in said


def test_it_is_written_to_a_file_once(url: str, tmp_path: Path) -> None:
    """A file of yours is not overwritten."""
    path = tmp_path / "gate.yaml"
    words = ("--service", "checkout", "--output", str(path))
    assert init(url, *words, controller="flagger")[0] == 0
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["kind"] == "Canary"
    code, _, said = init(url, *words, controller="flagger")
    assert code == 2
    assert "is there already" in said


def test_a_controller_that_nobody_knows_is_refused_with_a_suggestion(url: str) -> None:
    """A slip of the finger."""
    code, text, said = init(url, "--service", "checkout", controller="flager")
    assert (code, text) == (2, "")
    assert "did you mean flagger?" in said


def test_a_service_that_is_not_there_is_refused_with_near_names(url: str) -> None:
    """Nothing is written for a name that nothing has."""
    code, text, said = init(url, "--service", "chekout")
    assert (code, text) == (2, "")
    assert "nearest: checkout" in said


def test_a_gate_that_cannot_fail_is_not_written(tmp_path: Path) -> None:
    """A service that answers one request in twenty minutes."""
    now = time.time()
    lines = ["# TYPE http_requests counter"]
    for pod in prometheus.STABLE:
        own = f'service="checkout",namespace="shop",pod="{pod}",job="checkout",code="200"'
        lines += [
            f"http_requests_total{{{own}}} {(at - int(now) + 7200) // 1200} {at}"
            for at in range(int(now - 7200), int(now), 15)
        ]
    make_blocks("\n".join([*lines, "# EOF", ""]), tmp_path / "data")
    with running_prometheus("prometheus2", tmp_path) as server:
        code, text, said = init(server.url, "--service", "checkout")
    assert (code, text) == (2, "")
    assert "it cannot fail" in said
