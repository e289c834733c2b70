"""Secrets that their own form gives away: keys, tokens, and what a URL has before its host."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator

from detector.logs.hidden import Hidden, expression, hide, is_hidden

__all__ = ["credentials"]

# The prefixes are what each provider publishes for scanners of secrets.
_KEYS = expression(
    rb"\b(?:A3T[0-9A-Z]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA|APKA)[0-9A-Z]{16}\b"
    rb"|\bAIza[0-9A-Za-z_-]{35}"
    rb"|\bya29\.[0-9A-Za-z_-]{20,}"
    rb"|\bGOCSPX-[0-9A-Za-z_-]{20,}"
    rb"|\b[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}"
    rb"|\bgh[pousr]_[0-9A-Za-z]{20,}"
    rb"|\bgithub_pat_[0-9A-Za-z_]{22,}"
    rb"|\bgl(?:pat|rt|dt|ptt|cbt|ft|soat|agent|imt|oas|ffct)-[0-9A-Za-z_.-]{20,}"
    rb"|\bxox[abcdeoprs]-[0-9A-Za-z-]{10,}"
    rb"|\bxapp-[0-9]-[0-9A-Za-z-]{10,}"
    rb"|\bhooks\.slack\.com/services/[0-9A-Za-z]{6,16}/[0-9A-Za-z]{6,16}/[0-9A-Za-z]{10,}"
    rb"|\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{10,}"
    rb"|\bwhsec_[0-9A-Za-z+/=]{16,}"
    rb"|\bsk-[0-9A-Za-z_-]{20,}"
    rb"|\bnpm_[0-9A-Za-z]{36}"
    rb"|\bpypi-[0-9A-Za-z_-]{50,}"
    rb"|\bSG\.[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{16,}"
    rb"|\bhv[sbr]\.[0-9A-Za-z_-]{20,}"
    rb"|\bdo[opr]_v1_[0-9a-f]{40,}"
    rb"|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
    rb"|\bglsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8}"
    rb"|\bdckr_pat_[0-9A-Za-z_-]{20,}"
    rb"|\bdapi[0-9a-h]{32}"
    rb"|\bhf_[0-9A-Za-z]{30,}"
    rb"|\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}"
    rb"|\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"
)
# What any of them begins with or has in it: most lines have nothing of it.
_ANY = expression(
    rb"(?i)-----BEGIN|://|eyJ|bearer|basic|@(?:tcp|unix)|slack|\s-u |--user"
    rb"|sshpass|pass:| login |redis-cli|mysql|mariadb"
    rb"|[0-9A-Z~]{19}|[0-9a-z]{2}[_.-][0-9a-z_.-]{13}"
)
_JWT = expression(rb"\beyJ[0-9A-Za-z_-]{4,}\.[0-9A-Za-z_-]{4,}(?:\.[0-9A-Za-z_-]*){0,3}")
_BLOCK = expression(
    rb"(?s)-----BEGIN [0-9A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    rb"(?:-----END [0-9A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)"
)
_BEARER = expression(rb"(?i)\bbearer(?: |%20|\+){1,4}([0-9a-z._~+/=-]{8,})")
_BASIC = expression(rb"(?i)\bbasic(?: |%20|\+){1,4}([0-9a-z+/_-]{4,}={0,2})")
# The name before a password may be shown: it says whose login failed.
_URL = expression(rb"(?i)\b[a-z][0-9a-z+.-]{1,30}://([^\s/?#\"'<>@:]{0,256})(:[^\s/?#\"'<>]*)?@")
_GO_URL = expression(rb"(?:^|[\s\"'=])[0-9A-Za-z_.-]+:([^\s\"'@]{1,256})@(?:tcp|unix)\(")
_CURL = expression(rb"(?:\s-u|--user)[ =][^\s:\"'/]{1,64}:([^\s\"']*[^\s\"'0-9][^\s\"']*)")
# Programs that take a password by a letter: what follows it, in quotes or not.
_COMMAND = expression(
    rb"(?:\bsshpass[ \t]{1,4}-p[ \t]{0,4}|-pass(?:in|out)?[ \t]{1,4}pass:"
    rb"|\b(?:docker|podman|nerdctl|buildah|skopeo|helm registry)[ \t]{1,4}login[ \t]"
    rb"(?:[^\n;|&]{0,100}[ \t])?-p[ \t]{1,4}"
    rb"|\bredis-cli[ \t](?:[^\n;|&]{0,100}[ \t])?-a[ \t]{1,4}"
    rb"|\b(?:mysql|mysqldump|mysqladmin|mariadb)[ \t](?:[^\n;|&]{0,100}[ \t])?-p)"
    rb"(\"[^\"\n]{1,256}\"|'[^'\n]{1,256}'|[^\s\"'-][^\s\"']*)"
)
# A name of a user is shorter.
_NAME_MOST = 20


def credentials(text: bytes) -> Iterator[Hidden]:
    """Blocks of private keys, tokens of providers, JWTs, HTTP credentials, passwords in URLs."""
    if _ANY.search(text) is None:
        return
    yield from (hide(one.span(), "private_key") for one in _BLOCK.finditer(text))
    yield from (hide(one.span(), "key") for one in _KEYS.finditer(text))
    yield from (hide(one.span(), "jwt") for one in _JWT.finditer(text))
    for one in _BEARER.finditer(text):
        if _is_random(one.group(1)):
            yield hide(one.span(1), "secret")
    for one in _BASIC.finditer(text):
        if _is_login(one.group(1)):
            yield hide(one.span(1), "secret")
    yield from (hide(one.span(1), "secret") for one in _GO_URL.finditer(text))
    yield from (hide(one.span(1), "secret") for one in _CURL.finditer(text))
    for one in _COMMAND.finditer(text):
        if not is_hidden(one.group(1)):
            yield hide(one.span(1), "secret")
    yield from _in_urls(text)


def _in_urls(text: bytes) -> Iterator[Hidden]:
    for one in _URL.finditer(text):
        name, password = one.group(1), one.group(2)
        if password is not None and len(password) > 1 and not is_hidden(password[1:]):
            yield Hidden(one.start(2) + 1, one.end(2), "secret")
        if len(name) > _NAME_MOST and _is_random(name):
            yield hide(one.span(1), "secret")


def _is_random(value: bytes) -> bool:
    """Whether it is no word of a sentence: it has digits, letters of both cases, or no end."""
    word = value.rstrip(b".=,")
    has_digits = any(48 <= one <= 57 for one in word)
    is_mixed = not word.islower() and not word.isupper() and not word.istitle()
    return has_digits or is_mixed or len(word) > 30


def _is_login(value: bytes) -> bool:
    """Whether it is a name and a password: RFC 7617."""
    try:
        return b":" in b64decode(value + b"=" * (-len(value) % 4), altchars=None, validate=True)
    except binascii.Error:
        return False
