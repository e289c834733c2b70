"""The operator's state as plain arrays under a schema number, and back: the same to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.stream.anomaly import Contribution, Severity, Side, Subject
from detector.stream.excursion import Excursion, Sample
from detector.stream.gathering import Gathering
from detector.stream.opening import silent_at
from detector.stream.scoring import Arrays, Scorer
from detector.stream.settings import StreamSettings
from detector.stream.state import NEVER, StreamState
from detector.stream.suppression import Window
from detector.stream.tracks import FIELDS, GONE, Tracks

__all__ = ["SCHEMA", "restored", "taken"]

SCHEMA = 2
# A series and the side of its excursion.
_Key: TypeAlias = tuple[int, Side]
_MODEL = "model."
_NUMBERS = ("watermark", "since", "live", "hours", "first")
_SIDES, _SEVERITIES = list(Side), list(Severity)
_SAMPLE = tuple(field.name for field in fields(Sample) if field.name != "side")
_CONTRIBUTION = tuple(field.name for field in fields(Contribution))
_WHOLE = frozenset({"series", "at", "start", "peak_at", "end"})


def taken(state: StreamState) -> Arrays:
    """All that the state holds; settings and windows are told anew when it is restored.

    Arrays of the models may be views: copy or write them before the next step.
    """
    numbers = [SCHEMA, *(getattr(state, name) for name in _NUMBERS), state.tracks.size]
    arrays: dict[str, NDArray[Any]] = {"stream": np.array(numbers, np.int64)}
    arrays |= {_MODEL + name: array for name, array in state.scorer.to_arrays().items()}
    arrays |= {f"track.{name}": state.tracks[name] for name in FIELDS}
    arrays |= _words("subjects", [word for one in state.subjects for word in astuple(one)])
    arrays |= _excursions(state.excursions)
    arrays |= _gatherings(state)
    return arrays


def restored(
    arrays: Arrays,
    *,
    tenant: str,
    settings: StreamSettings,
    windows: Sequence[Window],
    scorer: Callable[[Arrays], Scorer],
    origin: str = "",
) -> StreamState:
    """The state of a snapshot; `ValueError` for one of another schema or that is not whole.

    `scorer` makes the models of their arrays.
    """
    numbers = arrays["stream"].tolist() if "stream" in arrays else [0]
    if numbers[0] not in (1, SCHEMA):
        raise ValueError(f"a stream's state has schema {numbers[0]}, this reads {SCHEMA}")
    if numbers[0] == 1:
        numbers, arrays = _of_first_schema(numbers, arrays)
    own = {n.removeprefix(_MODEL): a for n, a in arrays.items() if n.startswith(_MODEL)}
    state = StreamState(
        tenant=tenant,
        scorer=scorer(own),
        settings=settings,
        windows=tuple(windows),
        origin=origin,
        **dict(zip(_NUMBERS, numbers[1:], strict=False)),
    )
    _restore_tracks(state, arrays, numbers[-1])
    state.share()
    _restore_open(state, arrays)
    return state


def _of_first_schema(numbers: list[int], arrays: Arrays) -> tuple[list[int], Arrays]:
    """Series were marked as seen since the last tick; hours are counted from then on."""
    _, watermark, since, live, size = numbers
    heard = arrays["track.seen"].astype(np.int32)
    return [SCHEMA, watermark, since, live, 1, 1, size], {**arrays, "track.heard": heard}


def _restore_tracks(state: StreamState, arrays: Arrays, size: int) -> None:
    words = _read_words("subjects", arrays)
    state.subjects = [
        Subject(service=service, namespace=namespace, cluster=cluster, metric=metric)
        for service, namespace, cluster, metric in zip(*[iter(words)] * 4, strict=True)
    ]
    for name in FIELDS:
        if len(arrays[f"track.{name}"]) != size:
            raise ValueError(f"a stream's state has {name} of other series than it says")
    state.tracks = Tracks({name: arrays[f"track.{name}"] for name in FIELDS})
    rows, is_gone = state.tracks["subject"], state.tracks["heard"] == GONE
    state.absent = int(is_gone.sum())
    if state.absent:
        # Some may have their ids still: those who give ids were not told of them.
        state.gone.append(np.flatnonzero(is_gone).astype(np.int32))
    state.rows_of = np.bincount(rows, minlength=len(state.subjects)).tolist()
    state.sizes = np.bincount(rows[~is_gone], minlength=len(state.subjects)).tolist()
    held = list(enumerate(zip(state.subjects, state.rows_of, strict=True)))
    state.numbers = {subject: number for number, (subject, count) in held if count}
    state.spare = [number for number, (_, count) in held if not count]


def _restore_open(state: StreamState, arrays: Arrays) -> None:
    excursions, lasting = _read_excursions(arrays)
    state.excursions = excursions
    state.tracks["is_out"][[series for series, _ in excursions]] = True
    state.due = min((silent_at(state, one) for one in excursions.values()), default=0)
    for row, gathering in enumerate(_read_gatherings(state.subjects, arrays)):
        key = state.numbers[gathering.subject], gathering.side
        members = [one for one in excursions if lasting[one] == row]
        gathering.under_way = {one[0]: excursions[one] for one in members}
        (state.open if members else state.resting)[key] = gathering


def _excursions(held: Mapping[_Key, Excursion]) -> dict[str, NDArray[Any]]:
    every = list(held.values())
    arrays = {f"excursion.{name}": _whole(getattr(one, name) for one in every) for name in _SPAN}
    arrays["excursion.side"] = _whole(_SIDES.index(one.side) for one in every)
    return arrays | _table("excursion.peak", _SAMPLE, [one.peak for one in every])


_SPAN = ("start", "last", "seen", "calm", "is_excused")


def _read_excursions(arrays: Arrays) -> tuple[dict[_Key, Excursion], Mapping[_Key, int]]:
    """Excursions in the order in which they began, and the row of each one's anomaly."""
    found: dict[_Key, Excursion] = {}
    rows: dict[_Key, int] = {}
    peaks = _read_table("excursion.peak", _SAMPLE, arrays)
    for at, peak in enumerate(peaks):
        start, last, seen, calm, is_excused = (
            int(arrays[f"excursion.{name}"][at]) for name in _SPAN
        )
        side = _SIDES[int(arrays["excursion.side"][at])]
        key = int(peak["series"]), side
        rows[key] = int(arrays["excursion.of"][at])
        found[key] = Excursion(
            side=side,
            start=start,
            last=last,
            seen=seen,
            peak=Sample(**peak, side=side),
            calm=calm,
            is_excused=bool(is_excused),
        )
    return found, rows


def _gatherings(state: StreamState) -> dict[str, NDArray[Any]]:
    """Open ones and then those that rest; each contribution that is over names its row."""
    every = [*state.open.items(), *state.resting.items()]
    rows = {(one, of.side): row for row, (_, of) in enumerate(every) for one in of.under_way}
    over = [(row, kept) for row, (_, one) in enumerate(every) for kept in one.over.values()]
    return {
        "excursion.of": _whole(rows.get(key, -1) for key in state.excursions),
        "anomaly.subject": _whole(number for (number, _), _ in every),
        "anomaly.side": _whole(_SIDES.index(one.side) for _, one in every),
        "anomaly.severity": _whole(_SEVERITIES.index(one.severity) for _, one in every),
        "anomaly.again": _whole(NEVER if one.again is None else one.again for _, one in every),
        "anomaly.told": np.array([one.told for _, one in every], np.float64),
        **{
            f"anomaly.{name}": _whole(getattr(one, name) for _, one in every)
            for name in ("start", "end", "members", "told_members")
        },
        **_words("anomaly.id", [one.id for _, one in every]),
        "over.of": _whole(row for row, _ in over),
        **_table("over", _CONTRIBUTION, [kept for _, kept in over]),
    }


def _read_gatherings(subjects: Sequence[Subject], arrays: Arrays) -> list[Gathering]:
    # States of before there was such a thing have none.
    again = arrays["anomaly.again"].tolist() if "anomaly.again" in arrays else []
    found = [
        Gathering(
            id=id,
            subject=subjects[int(arrays["anomaly.subject"][row])],
            side=_SIDES[int(arrays["anomaly.side"][row])],
            severity=_SEVERITIES[int(arrays["anomaly.severity"][row])],
            told=float(arrays["anomaly.told"][row]),
            start=int(arrays["anomaly.start"][row]),
            end=int(arrays["anomaly.end"][row]),
            again=again[row] if again and again[row] != NEVER else None,
            members=int(arrays["anomaly.members"][row]),
            told_members=int(arrays["anomaly.told_members"][row]),
        )
        for row, id in enumerate(_read_words("anomaly.id", arrays))
    ]
    kept = _read_table("over", _CONTRIBUTION, arrays)
    for row, one in zip(arrays["over.of"].tolist(), kept, strict=True):
        found[row].over[int(one["series"])] = Contribution(**one)
    return found


def _whole(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array([int(value) for value in values], np.int64)


def _table(prefix: str, names: Sequence[str], rows: Sequence[object]) -> dict[str, NDArray[Any]]:
    """One array for each field of some values; whole numbers and times as such."""
    return {
        f"{prefix}.{name}": np.array(
            [getattr(row, name) for row in rows], np.int64 if name in _WHOLE else np.float64
        )
        for name in names
    }


def _read_table(prefix: str, names: Sequence[str], arrays: Arrays) -> list[dict[str, Any]]:
    columns = [arrays[f"{prefix}.{name}"].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _words(name: str, words: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Texts as their UTF-8 bytes and where each ends."""
    encoded = [word.encode() for word in words]
    return {
        name: np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}.ends": np.cumsum([len(word) for word in encoded], dtype=np.int64),
    }


def _read_words(name: str, arrays: Arrays) -> list[str]:
    blob, ends = arrays[name].tobytes(), arrays[f"{name}.ends"].tolist()
    starts = [0, *ends[:-1]]
    return [blob[start:end].decode() for start, end in zip(starts, ends, strict=False)]
