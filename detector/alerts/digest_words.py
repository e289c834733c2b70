"""The weekly digest in words, a line each, as every receiver says it."""

from __future__ import annotations

from collections.abc import Iterator

from detector.alerts.digest import Digest, HeldBack
from detector.alerts.precision import RulePrecision

__all__ = ["held_words", "held_words_of", "rule_words", "text_words", "title_words"]

_LISTED = 20


def title_words(digest: Digest) -> str:
    """How much it was.

    >>> title_words(Digest(team="shop", since=0, until=1, told=1, held_count=2, held=(), right=1,
    ...                    wrong=0))
    'The week of shop: 1 incident told, 2 held back'
    """
    told = "1 incident" if digest.told == 1 else f"{digest.told} incidents"
    return f"The week of {digest.team}: {told} told, {digest.held_count} held back"


def text_words(digest: Digest) -> str:
    """How often it was right to tell."""
    if not digest.told:
        return "Nothing was told."
    if digest.precision is None:
        return "Nobody said of any that was told whether it was an incident."
    count, share = digest.right + digest.wrong, digest.precision
    were = f"{digest.right} were incidents" if digest.right != 1 else "1 was an incident"
    return f"Of {count} told ones that people judged {were} ({share:.0%})."


def held_words(digest: Digest) -> Iterator[str]:
    """What was held back, a line each with its link, and how many more there were."""
    shown = digest.held[:_LISTED]
    yield from (f"{held_words_of(one)} {one.link}".strip() for one in shown)
    more = digest.held_count - len(shown)
    yield from ([f"and {more} more that were held back"] if more > 0 else [])


def held_words_of(one: HeldBack) -> str:
    """One that was held back, and why."""
    return f"Held back, {one.severity.value}: {one.title}. Why: {one.words}."


def rule_words(rule: RulePrecision) -> str:
    """One rule over four weeks: what it told and held, and how often that was right."""
    name = rule.route or "all that no other rule takes"
    told = f"Rule {name} to {rule.receiver}, in four weeks: told {rule.told}{_told_right(rule)}"
    return f"{told}; held {rule.held}{_held_right(rule)}." if rule.held else f"{told}."


def _told_right(rule: RulePrecision) -> str:
    if rule.precision is None:
        return ", none of which anybody judged" if rule.told else ""
    traced = f", {rule.traced} traced to a change" if rule.traced else ""
    count = rule.right + rule.wrong
    return f", of {count} that were judged {rule.right} rightly ({rule.precision:.0%}){traced}"


def _held_right(rule: RulePrecision) -> str:
    said = [
        f"{rule.missed} wrongly" if rule.missed else "",
        f"{rule.spared} rightly" if rule.spared else "",
    ]
    told = ", ".join(one for one in said if one)
    return f" ({told})" if told else ""
