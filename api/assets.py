"""The pages' files: our own and Plotly's script, from what is installed, under content names."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Asset", "asset", "asset_url", "packed", "source_of", "unneeded_styles"]

PREFIX = "/ui/assets"
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file. `name` holds a hash of the content, so that it may be cached for ever."""

    name: str
    media_type: str
    body: bytes


def _own(name: str) -> bytes:
    return files("api.ui").joinpath("static", name).read_bytes()


def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.encode()


_SOURCES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "page.css": (_STYLE, lambda: _own("page.css")),
    "page.js": (_SCRIPT, lambda: _own("page.js")),
    "plotly.js": (_SCRIPT, _plotly),
}


@cache
def _read(plain: str) -> Asset:
    media_type, source = _SOURCES[plain]
    body = source()
    stem, _, ending = plain.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Asset(
        name=f"{stem}-{digest}.{ending}",
        media_type=media_type,
        body=body,
    )


def asset(name: str) -> Asset | None:
    """The file of a name with its right hash, None for any other."""
    stem, _, ending = name.rpartition(".")
    plain = f"{stem.rpartition('-')[0]}.{ending}"
    if plain not in _SOURCES:
        return None
    found = _read(plain)
    return found if found.name == name else None


def source_of(plain: str) -> str:
    """A file's text, for a page that holds all it needs."""
    return _read(plain).body.decode()


@cache
def packed(found: Asset) -> bytes:
    """The same file as gzip; made once."""
    return gzip.compress(found.body, 6, mtime=0)


def asset_url(plain: str) -> str:
    """Where a file is served; for templates."""
    return f"{PREFIX}/{_read(plain).name}"


@cache
def unneeded_styles() -> tuple[str, ...]:
    """Ids of style elements (of maps) that Plotly's script adds unless there is such an element.

    Our content policy refuses them, so the page says that they are there already.
    """
    script = _read("plotly.js").body
    ids = re.findall(rb'if\(!document\.getElementById\("([0-9a-f]{64})"\)\)', script)
    return tuple(id.decode() for id in ids)
