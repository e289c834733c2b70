"""Names with what differs from one request to the next left out of them."""

from __future__ import annotations

import re

__all__ = ["is_address", "masked", "printable"]

_MOST = 120
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_QUERY = re.compile(r"\?[^ ]*")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")
# A word that no person wrote: hexadecimal with a digit in it, or letters and digits at length.
_HEX = re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=[0-9]*[a-fA-F])[0-9a-fA-F]{8,}\b")
_TOKEN = re.compile(r"\b(?=\w*\d\w*\d\w*\d)(?=\w*[A-Za-z])\w{16,}\b")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# `v1`, `s3` and `http2` are names; `4711`, `user-4711` and `user_4711` have a number in them.
_NUMBER = re.compile(r"(?<![A-Za-z0-9])\d+(?:\.\d+)*(?![A-Za-z0-9])|(?<=_)\d+(?![A-Za-z0-9])")
_MANY = re.compile(r"(?<=[A-Za-z])\d{3,}")
_V6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*")


def printable(name: str) -> str:
    """A name without what a terminal or a page would obey, cut at a length.

    >>> printable("GET" + chr(27) + "[2J /x")
    'GET [2J /x'
    """
    return _UNPRINTABLE.sub(" ", name).strip()[:_MOST]


def masked(name: str) -> str:
    """A name that many requests have in common.

    >>> masked("GET /users/4711/orders/8d8ac610-566d-4ef0-9c22-186b2a5ed793?page=2")
    'GET /users/<num>/orders/<id>'
    >>> masked("api/v2/s3/upload")
    'api/v2/s3/upload'
    """
    plain = _QUERY.sub("", printable(name[: 4 * _MOST]) if len(name) > _MOST else printable(name))
    for pattern, word in (
        (_UUID, "<id>"),
        (_IP, "<ip>"),
        (_QUOTED, "<*>"),
        (_HEX, "<id>"),
        (_TOKEN, "<id>"),
        (_NUMBER, "<num>"),
        (_MANY, "<num>"),
    ):
        plain = pattern.sub(word, plain)
    return plain.strip()


def is_address(name: str) -> bool:
    """Whether a host is told by its address: which of many pods it was, not which service.

    >>> is_address("10.1.2.3"), is_address("fd00::1"), is_address("payments")
    (True, True, False)
    """
    host = name.strip("[]")
    return bool(_IP.fullmatch(host) or _V6.fullmatch(host))
