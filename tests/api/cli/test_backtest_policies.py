"""Policies of a backtest: by name, from a file, with the nearest name where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.backtest_policies import known_policies, policy_named
from api.settings import load_settings
from detector.errors import InputError
from detector.gate.policy import Policy
from pipelines.stores.sqlite import open_sqlite

KNOWN = {"default": Policy(), "strict": Policy(name="strict", alpha=1e-4)}


def test_a_policy_is_taken_by_name() -> None:
    """As controllers name it."""
    assert policy_named("strict", KNOWN, field="policy") is KNOWN["strict"]


def test_a_policy_is_read_from_a_file(tmp_path: Path) -> None:
    """One that is only being thought about needs no place in the configuration."""
    file = tmp_path / "calm.yaml"
    file.write_text("alpha: 0.001\nsignals: {latency: {tolerate: 0.1}}\n", encoding="utf-8")
    made = policy_named(str(file), KNOWN, field="policy")
    assert (made.name, made.alpha, made.signals["latency"].tolerate) == ("calm", 0.001, 0.1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("signals: {latancy: {}}", "did you mean 'latency'", id="unknown signal"),
        pytest.param("alhpa: 1", "alhpa", id="unknown key"),
        pytest.param("alpha: 2", "alpha: must be <= 0.5", id="out of range"),
        pytest.param("- 1", "valid dictionary", id="no mapping"),
        pytest.param("a: [", "is not YAML", id="no YAML"),
    ],
)
def test_a_file_that_is_no_policy_is_told(tmp_path: Path, text: str, words: str) -> None:
    """The file, the key, and what was perhaps meant."""
    file = tmp_path / "calm.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as told:
        policy_named(str(file), KNOWN, field="against")
    assert words in str(told.value)
    assert (told.value.field, str(file) in str(told.value)) == ("against", True)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("strickt", "did you mean 'strict'?"),
        ("zzz", "there are default, strict"),
        ("nowhere.yaml", "No such file"),
    ],
)
def test_a_policy_that_is_not_there_is_told(word: str, words: str) -> None:
    """With the nearest name, or all of them."""
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        policy_named(word, KNOWN, field="policy")


def test_policies_of_store_and_configuration_are_known(tmp_path: Path) -> None:
    """Those that controllers are judged by."""
    stores = open_sqlite(tmp_path / "serinus.db")
    stores.policies.save(Policy(name="saved", alpha=0.002), at=1.0, person="ada")
    settings = load_settings(None, {"data": tmp_path, "policies": {"calm": {"alpha": 0.001}}})
    known = known_policies(settings)
    assert set(known) == {"default", "saved", "calm"}
    assert known["saved"].alpha == 0.002
