from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import PLACES, find_server, require_server


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A server that this machine does not have."""
    variable, _ = PLACES["prometheus3"]
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    return "prometheus3"


def test_variable_names_the_binary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A build of one's own can be tested without installing it."""
    binary = tmp_path / "own"
    binary.write_text("#!/bin/sh\n", encoding="utf-8")
    binary.chmod(0o755)
    monkeypatch.setenv("SERINUS_PROMETHEUS3", str(binary))
    assert find_server("prometheus3") == binary


def test_file_that_cannot_run_is_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Half a download is not taken for a server."""
    (tmp_path / "own").write_text("", encoding="utf-8")
    monkeypatch.setenv("SERINUS_PROMETHEUS3", str(tmp_path / "own"))
    assert find_server("prometheus3") is None


def test_absent_server_skips_with_a_word(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without Go can still run the other tests, and reads what was left out."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="make servers"):
        require_server(absent)


def test_absent_server_fails_in_ci(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build is not green because nothing was installed."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="SERINUS_PROMETHEUS3"):
        require_server(absent)


@pytest.mark.parametrize(
    ("name", "mend"), [("thanos", "tools/servers.sh e2e"), ("victoriametrics", "make servers")]
)
def test_absent_server_is_skipped_with_how_to_get_it(
    name: str, mend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`make servers` does not build Thanos: it would be run in vain."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv(PLACES[name][0], str(tmp_path / "nowhere"))
    with pytest.raises(pytest.skip.Exception, match=f"run `{mend}`"):
        require_server(name)


def test_script_and_tests_agree_on_variables() -> None:
    """What tools/servers.sh exports is what the tests read."""
    script = Path(__file__).resolve().parents[1] / "tools" / "servers.sh"
    text = script.read_text(encoding="utf-8")
    assert all(f"export {variable}=" in text for variable, _ in PLACES.values())
