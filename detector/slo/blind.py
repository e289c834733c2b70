"""Objectives of which nothing is known: those that fell blind together are told of together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

__all__ = ["BlindObjectives"]

_NAMED, _MOST = 3, 200


@dataclass(slots=True)
class BlindObjectives:
    """Groups by what they are called, each with those of it that are still blind."""

    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)

    def looked(self, why: Mapping[str, str]) -> None:
        """Those that are blind now, each with why; all others are not."""
        groups = {name: members & why.keys() for name, members in self.groups.items()}
        fresh = why.keys() - frozenset[str]().union(*groups.values())
        if len(groups) > _MOST:
            groups = {name: members for name, members in groups.items() if members}
        if fresh:
            name = _title(fresh)
            groups[name] = groups.get(name, frozenset()) | fresh
        self.groups, self.why = groups, dict(why)

    @property
    def found(self) -> dict[str, str]:
        """By group why it is blind; empty words where nobody of it is any more."""
        why = self.why
        return {name: _words(members, why) for name, members in list(self.groups.items())}


def _title(members: Collection[str]) -> str:
    named = _listed(sorted(members))
    return f"the error budget{'s' if len(members) > 1 else ''} of {named}"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    if more > 0:
        return f"{', '.join(names[:_NAMED])} and {more} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _words(members: Collection[str], why: Mapping[str, str]) -> str:
    reasons: dict[str, list[str]] = {}
    for one in sorted(members):
        if one in why:
            reasons.setdefault(why[one], []).append(one)
    return "; ".join(f"{_listed(names)}: {words}" for words, names in reasons.items())
