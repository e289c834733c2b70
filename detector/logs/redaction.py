"""What is stored or shown of a line: nothing of a person, no secret, nothing that acts."""

from __future__ import annotations

from detector.logs.credentials import credentials
from detector.logs.hidden import without
from detector.logs.keyed import keyed
from detector.logs.personal import addresses, personal
from detector.logs.plain import LINE_END, plain

__all__ = ["NOTHING_LEFT", "redacted", "redacted_lines"]

# In place of a text in which ever more is found: nobody writes such, but whoever attacks.
NOTHING_LEFT = "<redacted>"
_ROUNDS = 8


def redacted(text: str, *, hides_addresses: bool = False) -> str:
    """The text in one line with words like `<email>` and `<secret>` in place of what they name.

    Line ends become `LINE_END`. `hides_addresses`: IP addresses, too. At most three times as long
    as it was, in time in proportion to that, and the same when done again.

    >>> redacted("login of ann@example.org failed: password=hunter2 ip=10.0.0.7")
    'login of <email> failed: password=<secret> ip=10.0.0.7'
    """
    return _found_out(text, hides_addresses=hides_addresses).replace("\n", LINE_END)


def redacted_lines(text: str, *, hides_addresses: bool = False) -> str:
    """The same with the line ends that it had: only for who shows where each line begins."""
    return _found_out(text, hides_addresses=hides_addresses)


def _found_out(text: str, *, hides_addresses: bool) -> str:
    held = plain(text).replace(LINE_END, "\n")
    for _ in range(_ROUNDS):
        before, held = held, _once(held, hides_addresses=hides_addresses)
        if held == before:
            return held
    return NOTHING_LEFT


def _once(text: str, *, hides_addresses: bool) -> str:
    """One round: what is hidden may leave something else standing alone, which is found next."""
    body = text.encode()
    found = [*credentials(body), *keyed(body), *personal(body)]
    if hides_addresses:
        found += addresses(body)
    return without(body, found).decode() if found else text
