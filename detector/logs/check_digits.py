"""Check digits: what makes it certain that a number is a card, an account or a person's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

__all__ = ["is_card", "is_iban", "is_personal"]

# Lengths of IBANs by country: SWIFT, IBAN registry.
_IBANS = (
    "NO15 BE16 DK18 FI18 FO18 GL18 NL18 MK19 SI19 SD18 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 "
    "CH21 HR21 LI21 LV21 BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 "
    "OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 DZ26 LY25 PT25 ST25 "
    "IS26 TR26 BI27 DJ27 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 "
    "NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33"
)
_LENGTHS: Mapping[str, int] = {one[:2]: int(one[2:]) for one in _IBANS.split()}
# First digits (from, to) and lengths of card numbers: ISO/IEC 7812 and the schemes' own pages.
_CARDS: Sequence[tuple[str, str, frozenset[int]]] = (
    # Of 19 digits hardly any is issued, and many are ids of 64 bits.
    ("4", "4", frozenset({13, 16})),
    ("51", "55", frozenset({16})),
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),
    ("37", "37", frozenset({15})),
    ("300", "305", frozenset({14})),
    ("36", "36", frozenset({14})),
    ("38", "39", frozenset({14})),
    ("3528", "3589", frozenset({16, 17, 18, 19})),
    ("6011", "6011", frozenset({16, 19})),
    ("644", "659", frozenset({16, 19})),
    ("62", "62", frozenset({16, 17, 18, 19})),
    ("5018", "5038", frozenset({13, 15, 16, 18, 19})),
    ("6304", "6304", frozenset({16, 18, 19})),
    ("6759", "6763", frozenset({16, 18, 19})),
)
_FISCAL_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
               25, 24, 23)  # fmt: skip
_NIF, _HETU = "TRWAGMYFPDXBNJZSQVHLCKE", "0123456789ABCDEFHJKLMNPRSTUVWXY"


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's: a scheme's first digits and length, and Luhn's sum.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("1700000000000000")
    (True, False, False)
    """
    known = any(
        len(digits) in lengths and first <= digits[: len(first)] <= last
        for first, last, lengths in _CARDS
    )
    return known and len(set(digits)) > 1 and _luhn(digits) == 0


def is_iban(text: str) -> bool:
    """Whether a text without spaces is an IBAN: its country's length, and ISO 7064's 97-10.

    >>> is_iban("DE89370400440532013000"), is_iban("DE88370400440532013000")
    (True, False)
    """
    if _LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1


def iban_length(country: str) -> int:
    """How long a country's IBANs are; 0 where it has none."""
    return _LENGTHS.get(country, 0)


def is_personal(country: str, text: str) -> bool:
    """Whether letters and digits are a person's number in a country's scheme."""
    return _SCHEMES[country](text)


def _luhn(digits: str) -> int:
    twice = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    backwards = digits[::-1]
    return (sum(map(int, backwards[::2])) + sum(twice[int(d)] for d in backwards[1::2])) % 10


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(one) * weight for one, weight in zip(digits, weights, strict=False))


def _is_date(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _italian(text: str) -> bool:
    values = [int(one) if one.isdigit() else ord(one) - ord("A") for one in text[:15]]
    odd = sum(_FISCAL_ODD[one] for one in values[::2])
    return chr(ord("A") + (odd + sum(values[1::2])) % 26) == text[15]


def _french(text: str) -> bool:
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(text[13:])


def _spanish(text: str) -> bool:
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _NIF[int(number) % 23] == text[-1]


def _brazilian(text: str) -> bool:
    first = _weighted(text, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(text, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(text)) > 1 and text[9:] == f"{first}{second}"


def _chinese(text: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[_weighted(text, weights) % 11]
    return _is_date(text[10:12], text[12:14]) and check == text[17]


def _finnish(text: str) -> bool:
    return _is_date(text[2:4], text[:2]) and _HETU[int(text[:6] + text[6:9]) % 31] == text[9]


def _norwegian(text: str) -> bool:
    first = -_weighted(text, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -_weighted(text, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return _is_date(text[2:4], text[:2]) and text[9:] == f"{first}{second}"


def _swiss(text: str) -> bool:
    return (_weighted(text, (1, 3) * 7)) % 10 == 0


def _belgian(text: str) -> bool:
    checks = {97 - int(first + text[:9]) % 97 for first in ("", "2")}
    return int(text[9:]) in checks


def _swedish(text: str) -> bool:
    return _is_date(text[2:4], text[4:6]) and _luhn(text) == 0


def _korean(text: str) -> bool:
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    check = (11 - _weighted(text, weights) % 11) % 10
    return _is_date(text[2:4], text[4:6]) and check == int(text[12])


_SCHEMES: Mapping[str, Callable[[str], bool]] = {
    "it": _italian,
    "fr": _french,
    "es": _spanish,
    "br": _brazilian,
    "cn": _chinese,
    "fi": _finnish,
    "no": _norwegian,
    "ch": _swiss,
    "be": _belgian,
    "se": _swedish,
    "kr": _korean,
}
