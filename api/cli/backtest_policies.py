"""Policies of a backtest: by name, from a file, or as each line says."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from api.bodies.policy import PolicyBody
from api.cli.backtest_records import saved_policies
from api.settings import Settings
from detector.errors import InputError
from detector.gate.policy import Policy
from detector.gate.reason import SIGNAL_NAMES

__all__ = ["known_policies", "policy_named"]

_FILES = (".yaml", ".yml", ".json")


def known_policies(settings: Settings) -> Mapping[str, Policy]:
    """Policies by name: those of the store, of the configuration, and the default."""
    found = {"default": Policy()}
    found |= {policy.name: policy for policy in saved_policies(settings)}
    return found | {policy.name: policy for policy in settings.native_policies}


def policy_named(word: str, known: Mapping[str, Policy], *, field: str) -> Policy:
    """The policy of a name or a file; `InputError` tells the nearest name, or what is wrong."""
    if word in known:
        return known[word]
    if Path(word).suffix in _FILES:
        return _of_file(Path(word), field)
    near = get_close_matches(word, known, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
    raise InputError(f"there is no policy {word!r}; {advice} A file ends in .yaml", field=field)


def _of_file(file: Path, field: str) -> Policy:
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text"
        raise InputError(f"{file}: {why}", field=field) from error
    except yaml.YAMLError as error:
        raise InputError(f"{file}: is not YAML: {error}", field=field) from error
    try:
        return PolicyBody.model_validate(tree or {}).native(name=_name(tree, file))
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "policy"
        words = str(first["msg"]).removeprefix("Value error, ")
        raise InputError(f"{file}: {place}: {words}{_meant(words)}", field=field) from error


def _name(tree: Any, file: Path) -> str:  # noqa: ANN401 - whatever YAML holds
    return str(tree.get("name") or file.stem) if isinstance(tree, dict) else file.stem


def _meant(words: str) -> str:
    """The signal that was perhaps meant."""
    if not words.startswith("no signal is called"):
        return ""
    near = get_close_matches(words.split("'")[1], SIGNAL_NAMES, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
