"""`serinus openapi`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from detector.errors import ConfigError

__all__ = ["description", "text", "write"]


def description() -> dict[str, Any]:
    """The OpenAPI document; the version is left out, so that a release does not change it."""
    from api.app import create_app
    from api.compose import open_replayer
    from api.settings import Settings

    document = create_app(open_replayer(), Settings()).openapi()
    document["info"]["version"] = "1"
    return document


def text() -> str:
    """The document as it is checked in."""
    return json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write(output: Path | None) -> int:
    """To a file, or to standard output."""
    if output is None:
        sys.stdout.write(text())
        return 0
    try:
        output.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--output: cannot write {output}: {error.strerror}") from error
    return 0
