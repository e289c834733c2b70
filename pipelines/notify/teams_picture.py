"""A picture within a card of Teams: in it as text, in as few colours as there is room for.

A link would have to be open to everybody: the card is shown by a bot without anybody's rights.
"""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from PIL import Image

__all__ = ["data_uri"]

# From colours that nobody misses any to those with which it can still be read.
_COLOURS = (16, 8, 6, 5, 4)
_HEAD = "data:image/png;base64,"


def data_uri(picture: bytes, most: int) -> str | None:
    """A PNG as an address of at most so many letters; None where it cannot be that small."""
    if not picture or most <= len(_HEAD):
        return None
    with Image.open(BytesIO(picture)) as opened:
        drawn = opened.convert("RGB")
    for colours in _COLOURS:
        told = _HEAD + b64encode(_in(drawn, colours)).decode()
        if len(told) <= most:
            return told
    return None


def _in(drawn: Image.Image, colours: int) -> bytes:
    out = BytesIO()
    drawn.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
