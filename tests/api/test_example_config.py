from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from api.bodies.policy import PolicyBody, SignalPolicyBody
from api.settings import Settings, load_settings
from detector.errors import ConfigError
from detector.gate.policy import Policy
from detector.gate.reason import SIGNAL_NAMES
from tests.house.dockerfile import ROOT

FILE = ROOT / "serinus.example.yaml"
COMMENTED = re.compile(r"^    #   ((?:\w+): \{.*\})$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings do not count."""
    import os

    for name in [name for name in os.environ if name.startswith("SERINUS_")]:
        monkeypatch.delenv(name)


def tree() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def sections(
    kind: type[BaseModel], shown: dict[str, Any], place: str = ""
) -> Iterator[tuple[str, set[str], set[str]]]:
    """Each section with the keys it has, and those that the file shows."""
    yield place or "top", set(kind.model_fields), set(shown)
    for name, field in kind.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from sections(field.annotation, shown[name], f"{place}{name}.")


def test_every_key_is_shown() -> None:
    """What can be set is found by reading one file."""
    wrong = {place: known ^ shown for place, known, shown in sections(Settings, tree())}
    assert {place: keys for place, keys in wrong.items() if keys} == {}


def test_every_key_of_a_policy_is_shown() -> None:
    """Its name is the key above it."""
    (shown,) = tree()["policies"].values()
    assert set(shown) == set(PolicyBody.model_fields) - {"name"}


def test_the_file_changes_nothing() -> None:
    """Each value that it shows is the real default."""
    loaded, plain = load_settings(FILE), load_settings()
    assert loaded.model_dump(exclude={"policies"}) == plain.model_dump(exclude={"policies"})
    assert loaded.native_policies == (Policy(),)


def test_commented_signals_are_right() -> None:
    """Somebody who takes the comment away has a policy that loads, with all that can be changed."""
    examples = COMMENTED.findall(FILE.read_text(encoding="utf-8"))
    signals = {k: v for text in examples for k, v in yaml.safe_load(text).items()}
    policy = PolicyBody.model_validate({"signals": signals}).native()
    assert set(policy.signals) <= set(SIGNAL_NAMES)
    assert {key for v in signals.values() for key in v} == set(SignalPolicyBody.model_fields)


def test_words_that_are_listed_are_all_there_are() -> None:
    """`level` and `format` take what the comments say."""
    lines = FILE.read_text(encoding="utf-8")
    assert "debug, info, warning or error" in lines
    for level in ("debug", "info", "warning", "error"):
        assert load_settings(None, {"log": {"level": level}}).log.level == level
    with pytest.raises(ConfigError, match="level"):
        load_settings(None, {"log": {"level": "loud"}})


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("SERINUS_PORT", "9", "port"),
        ("SERINUS_SOURCE__URL", "http://x", "source.url"),
        ("SERINUS_SOURCE__AUTH__TENANT", "x", "source.auth.tenant"),
        ("SERINUS_LOG__LEVEL", "debug", "log.level"),
    ],
)
def test_variables_that_are_named_work(
    variable: str, value: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And win over the file."""
    assert variable in FILE.read_text(encoding="utf-8")
    monkeypatch.setenv(variable, value)
    found: Any = load_settings(FILE)
    for name in key.split("."):
        found = getattr(found, name)
    assert str(found) == value


def test_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest to the person counts."""
    file = tmp_path / "serinus.yaml"
    file.write_text("port: 1\nhost: 127.0.0.2\ndata: here\n", encoding="utf-8")
    monkeypatch.setenv("SERINUS_PORT", "2")
    monkeypatch.setenv("SERINUS_HOST", "127.0.0.3")
    loaded = load_settings(file, {"port": 3})
    assert (loaded.port, loaded.host, str(loaded.data)) == (3, "127.0.0.3", "here")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot: 1", "unknown key 'prot'"),
        ("port: many", "port"),
        ("source: {ulr: x}", "source.ulr"),
        ("limits: {source_s: 20}", "source_s must be below request_s"),
        ("- a", "must be a mapping"),
        ("a: [", "is not YAML"),
        ("policies: {default: {mode: loud}}", "policies.default.mode"),
        ("policies: {default: {signals: {latenci: {}}}}", "latenci"),
    ],
)
def test_wrong_key_is_named(tmp_path: Path, text: str, told: str) -> None:
    """With the file, before anything starts."""
    file = tmp_path / "serinus.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_settings(file)
    assert told in str(refused.value)
    assert str(file) in str(refused.value)


def test_missing_file_is_told(tmp_path: Path) -> None:
    """Not taken for an empty one."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "nope.yaml")


def test_secrets_are_not_shown() -> None:
    """Settings in a log line or a traceback give nothing away."""
    loaded = load_settings(None, {"token": "correct-horse", "flagger_token": "battery-staple"})
    assert "horse" not in repr(loaded)
    assert "battery" not in repr(loaded)
