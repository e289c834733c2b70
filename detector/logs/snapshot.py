"""The state of the detectors as plain arrays under a schema number, and back, to the bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.logs.rows import FIELDS, WORDS, Rows
from detector.logs.services import Services
from detector.logs.settings import LogSettings
from detector.logs.state import NEVER, LogState
from detector.logs.story import Noted, Story, Telling
from detector.logs.whole import NOTE, NOTED, NUMBERS, STORY, TELLING, check_whole
from detector.stream.anomaly import AnomalyKind, LineNote, Severity
from detector.stream.scoring import Arrays
from detector.stream.suppression import Window
from detector.stream.texts import read_texts, texts

__all__ = ["SCHEMA", "restored", "taken"]

SCHEMA = 1
_KINDS, _SEVERITIES = list(AnomalyKind), list(Severity)
# Room that rows begin with.
_ROOM = 64


def taken(state: LogState) -> Arrays:
    """All that the state holds; settings and windows are told anew when it is restored."""
    numbers = [SCHEMA, *(getattr(state, name) for name in NUMBERS)]
    arrays: dict[str, NDArray[Any]] = {"logs": np.array(numbers, np.int64)}
    size = state.rows.size
    arrays |= {f"row.{name}": state.rows[name][:size].copy() for name in FIELDS}
    for name in WORDS:
        arrays |= texts(f"row.{name}", state.rows.words[name])
    arrays |= {f"service.{name}": array.copy() for name, array in state.services.arrays.items()}
    arrays |= texts("service.places", [word for one in state.services.places for word in one])
    versions = state.services.versions
    arrays |= texts("service.versions", [word for one in versions for word in one])
    arrays["service.versions.of"] = _whole(len(one) for one in versions)
    arrays |= texts("names", [word for pair in state.names.items() for word in pair])
    return arrays | _stories(state) | _tellings([*state.open.values(), *state.resting.values()],
                                                len(state.open))  # fmt: skip


def restored(
    arrays: Arrays,
    *,
    tenant: str,
    settings: LogSettings,
    windows: Sequence[Window] = (),
    origin: str = "",
) -> LogState:
    """The state of a snapshot; `ValueError` for one of another schema or that is not whole."""
    numbers = arrays["logs"].tolist() if "logs" in arrays else []
    if numbers[:1] != [SCHEMA]:
        found = numbers[0] if numbers else 0
        raise ValueError(f"a state of logs has schema {found}, this reads {SCHEMA}")
    check_whole(arrays)
    names = read_texts("names", arrays)
    state = LogState(
        tenant=tenant,
        settings=settings,
        windows=tuple(windows),
        origin=origin,
        services=_services(arrays),
        rows=_rows(arrays),
        names=dict(zip(names[::2], names[1::2], strict=True)),
        **dict(zip(NUMBERS, numbers[1:], strict=True)),
    )
    _read_stories(state, arrays)
    _read_tellings(state, arrays)
    return state


def _rows(arrays: Arrays) -> Rows:
    words = {name: read_texts(f"row.{name}", arrays) for name in WORDS}
    size = len(words["name"])
    room = max(size, _ROOM)
    held = {name: np.zeros(room, kind) for name, kind in FIELDS.items()}
    for name, array in held.items():
        array[:size] = arrays[f"row.{name}"]
    return Rows(arrays=held, words=words)


def _services(arrays: Arrays) -> Services:
    words = read_texts("service.places", arrays)
    versions, held = iter(read_texts("service.versions", arrays)), Services().arrays
    return Services(
        places=list(zip(words[::3], words[1::3], words[2::3], strict=True)),
        versions=[
            [next(versions) for _ in range(count)]
            for count in arrays["service.versions.of"].tolist()
        ],
        arrays={name: arrays[f"service.{name}"].copy() for name in held},
    )


def _stories(state: LogState) -> dict[str, NDArray[Any]]:
    every = list(state.stories.values())
    return {
        "story.service": _whole(state.stories),
        **{f"story.{name}": _whole(getattr(one, name) for one in every) for name in STORY},
        "story.lines": _whole(count for one in every for count in one.lines),
        "story.rows": _whole(row for one in every for row in one.rows),
        "story.rows.of": _whole(len(one.rows) for one in every),
    }


def _read_stories(state: LogState, arrays: Arrays) -> None:
    rows, lines = iter(arrays["story.rows"].tolist()), iter(arrays["story.lines"].tolist())
    for nth, service in enumerate(arrays["story.service"].tolist()):
        start, newest, *facts = (int(arrays[f"story.{name}"][nth]) for name in STORY)
        is_deploy, is_learned, is_counted, is_told = map(bool, facts)
        story = Story(
            start=start,
            newest=newest,
            is_deploy=is_deploy,
            is_learned=is_learned,
            is_counted=is_counted,
            is_told=is_told,
        )
        story.rows = [next(rows) for _ in range(int(arrays["story.rows.of"][nth]))]
        story.lines = [next(lines) for _ in story.lines]
        state.stories[service] = story


def _tellings(every: Sequence[Telling], are_open: int) -> dict[str, NDArray[Any]]:
    noted = [(nth, row, one) for nth, of in enumerate(every) for row, one in of.noted.items()]
    ones = [one for _, _, one in noted]
    return {
        **texts("telling.id", [one.id for one in every]),
        "telling.kind": _whole(_KINDS.index(one.kind) for one in every),
        "telling.severity": _whole(_SEVERITIES.index(one.severity) for one in every),
        "telling.open": _whole(nth < are_open for nth in range(len(every))),
        **{f"telling.{name}": _whole(getattr(one, name) for one in every) for name in TELLING},
        "telling.again": _whole(NEVER if one.again is None else one.again for one in every),
        "noted.of": _whole(nth for nth, _, _ in noted),
        "noted.row": _whole(row for _, row, _ in noted),
        **{f"noted.{name}": _whole(getattr(one, name) for one in ones) for name in NOTED},
        "noted.surprise": np.array([one.surprise for one in ones], np.float64),
        "noted.every_s": np.array([one.note.every_s for one in ones], np.float64),
        "noted.count": _whole(one.note.count for one in ones),
        **texts("noted.words", [getattr(one.note, name) for one in ones for name in NOTE]),
        **texts("noted.before", [one.note.before for one in ones]),
    }


def _read_tellings(state: LogState, arrays: Arrays) -> None:
    every = []
    # States of before there was such a thing have none.
    again = arrays["telling.again"].tolist() if "telling.again" in arrays else []
    for nth, id in enumerate(read_texts("telling.id", arrays)):
        kind = _KINDS[int(arrays["telling.kind"][nth])]
        facts = {name: int(arrays[f"telling.{name}"][nth]) for name in TELLING}
        telling = Telling(
            id=id,
            kind=kind,
            severity=_SEVERITIES[int(arrays["telling.severity"][nth])],
            subject=state.subject(facts["service"], kind),
            service=facts["service"],
            is_deploy=bool(facts["is_deploy"]),
            start=facts["start"],
            newest=facts["newest"],
            again=again[nth] if again and again[nth] != NEVER else None,
            members=facts["members"],
            told_members=facts["told_members"],
            told_lines=facts["told_lines"],
        )
        held = state.open if arrays["telling.open"][nth] else state.resting
        held[kind, telling.service] = telling
        every.append(telling)
    words = iter(read_texts("noted.words", arrays))
    # States of before there was such a thing have none.
    before = read_texts("noted.before", arrays) if "noted.before" in arrays else []
    for nth, of in enumerate(arrays["noted.of"].tolist()):
        row = int(arrays["noted.row"][nth])
        told = [*(next(words) for _ in NOTE), before[nth] if before else ""]
        every[of].noted[row] = _noted(arrays, nth, told)


def _noted(arrays: Arrays, nth: int, words: Sequence[str]) -> Noted:
    level, start, last, is_over = (int(arrays[f"noted.{name}"][nth]) for name in NOTED)
    template, grade, title, text, line, before = words
    note = LineNote(
        template=template,
        level=grade,
        title=title,
        text=text,
        line=line,
        before=before,
        count=int(arrays["noted.count"][nth]),
        every_s=float(arrays["noted.every_s"][nth]),
    )
    surprise = float(arrays["noted.surprise"][nth])
    return Noted(
        note=note, level=level, start=start, last=last, surprise=surprise, is_over=bool(is_over)
    )


def _whole(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array([int(value) for value in values], np.int64)
