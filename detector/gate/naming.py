"""What a verdict calls a kind of log line: its id, and what such lines say where that is known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from detector.gate.judgement import Judgement
from detector.gate.reason import Reason
from detector.gate.verdict import SignalVerdict, TemplateVerdict
from detector.gate.vocabulary import OTHERS

__all__ = ["Wording", "named", "unnamed"]

# What is kept of a text and of the first lines of a sample, in characters and lines.
_TEXT, _SAMPLE, _LINES = 300, 600, 3
# What stands in one sentence.
_QUOTED = 160
# Letters, marks, numbers, punctuation, symbols and blanks: nothing that moves a cursor or hides.
_HARMLESS = frozenset("LMNPSZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What lines of one template say: `text` with `<...>` where they differ, `sample` one of them.

    Stored with the verdict that shows it, so that a replay needs nobody to ask.
    """

    id: str
    text: str
    sample: str = ""

    @classmethod
    def of(cls, id: str, text: str, sample: str) -> Wording:
        """Cut to what a verdict has room for; nothing in it can act on a terminal."""
        lines = [_plain(line, _SAMPLE) for line in sample.splitlines()[:_LINES]]
        return cls(id=id, text=_plain(text, _TEXT), sample="\n".join(lines)[:_SAMPLE])


def unnamed(judgement: Judgement) -> tuple[str, ...]:
    """Ids of the templates that a judgement tells of."""
    every = (one.id for signal in judgement.signals for one in signal.templates)
    return tuple(sorted({id for id in every if id != OTHERS}))


def named(judgement: Judgement, wordings: Iterable[Wording]) -> Judgement:
    """The judgement with the words of its templates."""
    known = {one.id: one for one in wordings}
    if not known:
        return judgement
    first = judgement.first_fail
    return replace(
        judgement,
        reason=_said(judgement.reason, known),
        signals=tuple([_told(signal, known) for signal in judgement.signals]),
        first_fail=None if first is None else replace(first, reason=_said(first.reason, known)),
    )


def _told(signal: SignalVerdict, known: Mapping[str, Wording]) -> SignalVerdict:
    if not signal.templates:
        return signal
    templates = tuple([_worded(one, known) for one in signal.templates])
    return replace(signal, templates=templates, reason=_said(signal.reason, known))


def _worded(one: TemplateVerdict, known: Mapping[str, Wording]) -> TemplateVerdict:
    wording = known.get(one.id)
    if wording is None:
        return one
    return replace(one, text=wording.text, sample=wording.sample)


def _said(reason: Reason, known: Mapping[str, Wording]) -> Reason:
    """The reason, with what its template reads like."""
    found = next((one for id, one in known.items() if id in reason.text), None)
    if found is None or not found.text:
        return reason
    line = found.sample.partition("\n")[0]
    example = f", for example “{_cut(line)}”" if line and line != found.text else ""
    return replace(reason, text=f"{reason.text} It reads “{_cut(found.text)}”{example}.")


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"


def _plain(text: str, most: int) -> str:
    """Text in which only what can be seen is left, on one line."""
    kept = [c if unicodedata.category(c)[0] in _HARMLESS else " " for c in text[: 2 * most]]
    return " ".join("".join(kept).split())[:most]
