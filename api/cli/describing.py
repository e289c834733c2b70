"""`serinus openapi`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["description", "write"]


def description() -> dict[str, Any]:
    """The OpenAPI document; the version is left out, so that a release does not change it."""
    from api.app import create_app
    from api.cli.nothing import Nothing
    from api.settings import Settings

    document = create_app(Nothing(), Settings()).openapi()
    document["info"]["version"] = "1"
    return document


def write(output: Path | None) -> int:
    """To a file, or to standard output."""
    text = json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
    return 0
