"""What in a line is of a person: addresses, phones, cards, accounts, national numbers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

from detector.logs.check_digits import iban_length, is_card, is_iban, is_personal
from detector.logs.hidden import Hidden, expression

__all__ = ["addresses", "personal"]

# Beyond ASCII every byte of UTF-8 is part of a word.
_WORD = rb"[0-9A-Za-z\x80-\xff"
_MAIL = expression(
    _WORD + rb"._%+'=-]{0,63}" + _WORD + rb"_%+=-](?:@|%40|\\u0040)"
    rb"(?:"
    + _WORD
    + rb"-]{1,63}\.){1,8}(?:[A-Za-z]{2,24}|[xX][nN]--[0-9A-Za-z-]{2,59}|[\x80-\xff]{2,60})"
)
# What any of the following has in it: most lines have nothing of it, and are done with at once.
_ANY = expression(
    rb"@|%40|\\u0040|\+[1-9]|[0-9](?:[ .()-]{0,2}[0-9]){10}|[0-9]{3}[ .-][0-9]{4}|[0-9]{8}[A-Z]"
    rb"|[A-Z]{2}[0-9]{2}|[XYZ][0-9]{7}|[0-9]{6}[A-Y+-][0-9]{3}|[0-9]{2}\.[0-9]{2}-[0-9]{3}"
)
# `git@host:path` names a repository, not a person.
_NO_PERSON = (b"git@",)
_PHONE = expression(
    rb"\+[1-9][0-9]{0,2}(?:[ .-]?\([0-9]{1,4}\)|[ .-]?[0-9]{1,4}){1,2}(?:[ .-]?[0-9]{2,5}){1,5}"
    rb"|\(?[2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[ .-][0-9]{4}"
    rb"|[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4}"
)
_PHONE_DIGITS = range(8, 16)
_CARD = expression(rb"[2-6][0-9](?:[ -]?[0-9]){11,17}")
_IBAN = expression(rb"[A-Z]{2}[0-9]{2}(?:[ -]?[0-9A-Z]){11,30}")
_NATIONAL = expression(
    rb"(?P<it>[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z])"
    rb"|(?P<cn>[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9X])"
    rb"|(?P<fr>[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB])"
    rb"(?: ?[0-9]{3}){2} ?[0-9]{2})"
    rb"|(?P<ch>756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2})"
    rb"|(?P<br>[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2})"
    rb"|(?P<be>[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2})"
    rb"|(?P<kr>[0-9]{6}-[1-8][0-9]{6})"
    rb"|(?P<se>[0-9]{6}[-+][0-9]{4})"
    rb"|(?P<fi>[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y])"
    rb"|(?P<no>[0-7][0-9][01][0-9]{8})"
    rb"|(?P<es>[0-9]{8}[A-Z]|[XYZ][0-9]{7}[A-Z])"
)
_UUID = expression(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_LENGTH = 36
_ADDRESS = expression(
    rb"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
    rb"|(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{1,4}|:)?"
)
_BREAKS = re.compile(r"[ .()+-]")
_WORDS = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_DIGITS = frozenset(b"0123456789")


def personal(text: bytes) -> Iterator[Hidden]:
    """Mail addresses, and numbers that are certainly of a person, by their form and check digits.

    An order's number, a time, an address of the network and a UUID are none of these.
    """
    if _ANY.search(text) is None:
        return
    for one in _MAIL.finditer(text):
        found = one.group()
        if not found.startswith(_NO_PERSON):
            # A quote that it begins with is not of it.
            start = one.start() + len(found) - len(found.lstrip(b"'"))
            yield Hidden(start, one.end(), "email")
    kept = _Kept(text)
    yield from kept.certain(_CARD, "card", lambda _, digits: is_card(digits))
    yield from kept.certain(_PHONE, "phone", lambda _, digits: len(digits) in _PHONE_DIGITS)
    yield from kept.certain(_NATIONAL, "person", is_personal)
    yield from _accounts(text)


def addresses(text: bytes) -> Iterator[Hidden]:
    """IP addresses of both versions."""
    for one in _ADDRESS.finditer(text):
        start, stop = one.span()
        if _stands_alone(text, start, stop, b":.") and _is_address(one.group().decode("ascii")):
            yield Hidden(start, stop, "ip")


class _Kept:
    """The numbers of a text, but those inside of a UUID."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts: list[int] | None = None

    def certain(
        self,
        form: Any,  # noqa: ANN401
        word: str,
        is_so: Callable[[str, str], bool],
    ) -> Iterator[Hidden]:
        """What has a form, stands alone and passes a check of its letters and digits."""
        for one in form.finditer(self._text):
            start, stop = one.span()
            if not _stands_alone(self._text, start, stop, b"."):
                continue
            digits = _BREAKS.sub("", one.group().decode("ascii"))
            if is_so((one.lastgroup or b"").decode("ascii"), digits) and not self._is_uuid(
                start, stop
            ):
                yield Hidden(start, stop, word)

    def _is_uuid(self, start: int, stop: int) -> bool:
        if self._starts is None:
            self._starts = [one.start() for one in _UUID.finditer(self._text)]
        at = bisect_left(self._starts, stop)
        return at > 0 and start < self._starts[at - 1] + _UUID_LENGTH


def _accounts(text: bytes) -> Iterator[Hidden]:
    """IBANs, also in groups of four: the country tells where one ends."""
    for one in _IBAN.finditer(text):
        start, stop = one.span()
        length, found = iban_length(text[start : start + 2].decode("ascii")), ""
        for at in range(start, stop):
            if text[at] not in b" -":
                found += chr(text[at])
            if len(found) == length:
                if _stands_alone(text, start, at + 1, b"") and is_iban(found):
                    yield Hidden(start, at + 1, "iban")
                break


def _stands_alone(text: bytes, start: int, stop: int, joints: bytes) -> bool:
    """Whether neither a letter nor a digit goes on, nor a digit beyond one of the joints.

    A number below zero is none that stands for something.
    """
    before, after = text[max(start - 2, 0) : start], text[stop : stop + 2]
    if (before and before[-1] in _WORDS) or (after and after[0] in _WORDS):
        return False
    if before.endswith(b"-") and before[0] not in _WORDS - {ord("_")}:
        return False
    goes_on = len(after) == 2 and after[0] in joints and after[1] in _DIGITS
    return not (goes_on or (len(before) == 2 and before[1] in joints and before[0] in _DIGITS))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    # `::` and `12:30:45` stand for no host.
    return text.count(".") == 3 or sum(part != "" for part in text.split(":")) > 1
