"""The words that several commands take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Config",
    "Data",
    "Format",
    "LevelName",
    "ModeName",
    "OutcomeName",
    "Packs",
    "Person",
    "Prometheus",
    "Resume",
    "Server",
    "Shown",
    "StageName",
]


class Format(StrEnum):
    """How a verdict is printed."""

    TEXT = "text"
    JSON = "json"


class LevelName(StrEnum):
    """Levels of log lines."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"


class StageName(StrEnum):
    """What is asked."""

    STEP = "step"
    FINAL = "final"


class ModeName(StrEnum):
    """What controllers are told; `end` goes back to the policies."""

    SHADOW = "shadow"
    ADVISE = "advise"
    PAUSE = "pause"
    ENFORCE = "enforce"
    END = "end"


class OutcomeName(StrEnum):
    """What a person decides."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


Config = Annotated[
    Path | None,
    typer.Option("--config", envvar="SERINUS_CONFIG", help="YAML file; see serinus.example.yaml."),
]
Resume = Annotated[
    Path | None,
    typer.Option(help="Folder in which a run is kept; the same again goes on with it."),
]
Prometheus = Annotated[
    str | None, typer.Option(help="URL of your Prometheus (or Thanos, Mimir, VictoriaMetrics).")
]
Packs = Annotated[
    list[Path] | None,
    typer.Option(
        "--packs",
        help="A pack of your own, or a folder of them; may be repeated. In place of the file's.",
    ),
]
Data = Annotated[Path | None, typer.Option(help="Directory of the store.")]
Server = Annotated[
    str | None,
    typer.Option(
        help="URL of a running serinus; SERINUS_SERVER if not given. Its token: SERINUS_TOKEN."
    ),
]
Person = Annotated[
    str | None, typer.Option(help="Who decides; the name of the login if not given.")
]
Shown = Annotated[Format, typer.Option("--format", help="How it is printed.")]
