"""Decode the reply to a range selector into arrays: about 0.1 µs a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError
from detector.series import Answer, Columns, FloatArray
from pipelines.sources.labels import LabelSets
from pipelines.sources.native import as_classic
from pipelines.sources.refusal import FlakyError, refusal

__all__ = ["Matrix", "Part", "decode_matrix", "not_the_api", "range_selector", "subquery"]

# Series parsed in one go: enough to hide the cost of a call, few enough to bound the copies.
BATCH = 64
Ints = NDArray[np.int64]
EMPTY_TEXT = b"[]"
EMPTY = msgspec.Raw(EMPTY_TEXT)
# How VictoriaMetrics sends raw samples: as it exports them, with stale markers as NaN. A NaN that
# a target told is never stored there.
EXPORT = "application/stream+json"
# Its status line is out before it reads, so what goes wrong then follows the whole answer. Quotes
# in a label's value are escaped: nothing else in a body reads like this.
AFTERTHOUGHT = b'}{"status":"error"'


class _Element(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    values: msgspec.Raw = EMPTY
    histograms: msgspec.Raw = EMPTY


class _Data(msgspec.Struct, gc=False):
    resultType: str  # noqa: N815 - the API's word
    result: list[_Element]


class _Envelope(msgspec.Struct, gc=False):
    status: Literal["success"]
    data: _Data
    warnings: list[str] = []
    isPartial: bool = False  # noqa: N815 - how VictoriaMetrics says what others warn of


_envelopes = msgspec.json.Decoder(_Envelope)
_numbers = msgspec.json.Decoder(list[float], strict=False)
_label_sets = LabelSets()


class Matrix:
    """A checked reply whose samples are still text, so that a budget can be held before parsing.

    Parts of it share what is parsed, which is done once, when the first is asked for.
    """

    def __init__(
        self,
        elements: list[_Element],
        labels: list[Mapping[str, str]],
        warnings: tuple[str, ...],
        *,
        nan_is_stale: bool = False,
    ) -> None:
        self.labels, self.warnings = labels, warnings
        self._elements, self._nan_is_stale = elements, nan_is_stale
        self._sizes = [_size(element) for element in elements]
        self._natives = [n for n, e in enumerate(elements) if len(e.histograms) > len(EMPTY_TEXT)]

    @cached_property
    def samples(self) -> int:
        """How many there are, and of native histograms how many buckets."""
        return sum(self._sizes)

    def part(self, places: Sequence[int]) -> Part:
        """The elements at these places."""
        return Part(self, places, sum([self._sizes[place] for place in places]))

    def whole(self) -> Part:
        """All elements."""
        return Part(self, range(len(self._elements)), self.samples)

    def answer(self, start: float, end: float) -> Answer:
        """See `Part`."""
        return self.whole().answer(start, end)

    def classic(self, places: Sequence[int], start: float, end: float) -> Columns:
        """The plain samples of some elements."""
        columns = self._some(places)
        keep = (columns.times > start) & (columns.times <= end)
        if self._nan_is_stale:
            keep &= ~np.isnan(columns.values)
        return columns.kept(keep)

    def _some(self, places: Sequence[int]) -> Columns:
        """The samples of some elements; what cannot be read is the trouble of its own query."""
        try:
            return _picked(self._columns, places)
        except (msgspec.MsgspecError, ValueError):
            return self._parsed(places)

    def native(self, places: Sequence[int], start: float, end: float) -> list[Columns]:
        """The native histograms of some elements, as the series of their buckets."""
        if not self._natives:
            return []
        found = sorted({*self._natives}.intersection(places))
        texts = [(self.labels[n], bytes(self._elements[n].histograms)) for n in found]
        return [Columns.of(as_classic(*text, start, end)) for text in texts]

    @cached_property
    def _columns(self) -> Columns:
        """All plain samples, a batch of elements at a time."""
        every = range(len(self._elements))
        batches = range(0, len(every), BATCH)
        return Columns.joined([self._parsed(every[n : n + BATCH]) for n in batches])

    def _parsed(self, places: Sequence[int]) -> Columns:
        texts = [self._elements[place].values for place in places]
        return _parsed([self.labels[place] for place in places], texts)


@dataclass(frozen=True, slots=True)
class Part:
    """What one query gets of a reply to several: the elements at some places."""

    matrix: Matrix
    places: Sequence[int]
    samples: int

    def answer(self, start: float, end: float) -> Answer:
        """The samples with `start < time <= end`; series without any are left out.

        Native histograms come as the series of their buckets. Stale markers are left out too.
        """
        classic = self.matrix.classic(self.places, start, end)
        parts = [classic, *self.matrix.native(self.places, start, end)]
        return Answer(series=Columns.joined(parts) or (), warnings=self.matrix.warnings)


def _picked(columns: Columns, places: Sequence[int]) -> Columns:
    """The series at some places, in this order."""
    if len(places) == len(columns):
        return columns
    labels, chosen = [columns.labels[place] for place in places], np.array(places, np.int64)
    sizes = columns.sizes[chosen]
    ends = np.cumsum(sizes)
    shift = columns.ends[chosen] - ends
    samples = np.arange(ends[-1] if len(ends) else 0) + np.repeat(shift, sizes)
    return Columns(labels, sizes, columns.times[samples], columns.values[samples])


def range_selector(selector: str, start: float, end: float) -> tuple[str, str]:
    """Query text and `time` whose answer covers every sample with `start < time <= end`.

    Prometheus 2 answers `[t-d, t]`, 3 and most others `(t-d, t]`, in whole milliseconds: both are
    asked for at least the span, and `Matrix.answer` cuts what is over. A millisecond more, since
    VictoriaMetrics 1.79 does not look into a day of which it is asked for the first one only.
    """
    to_ms = math.ceil(end * 1000) + 1
    length_ms = max(to_ms - math.floor(start * 1000), 1)
    return f"{selector}[{length_ms}ms]", f"{to_ms // 1000}.{to_ms % 1000:03d}"


def subquery(selector: str, start: float, end: float, step_s: float) -> tuple[str, str]:
    """Query text and `time` whose answer has the newest sample at each whole multiple of a step."""
    length_ms, step_ms = max(math.ceil((end - start) * 1000), 1), max(round(step_s * 1000), 1)
    return f"{selector}[{length_ms}ms:{step_ms}ms]", f"{end:.3f}"


def decode_matrix(body: bytes, where: str, content_type: str = "") -> Matrix:
    """The reply as a matrix, or `SourceError` for whatever else it is."""
    try:
        envelope = _envelopes.decode(body)
        labels = _label_sets.of([element.metric for element in envelope.data.result])
    except msgspec.MsgspecError as error:
        raise _no_matrix(error, body, where) from error
    if envelope.data.resultType != "matrix":
        found = envelope.data.resultType[:20]
        raise SourceError(f"{where} answered with a {found!r}, not a matrix", retryable=False)
    partial = ["the source says that its answer is partial"] if envelope.isPartial else []
    stale = content_type.startswith(EXPORT)
    warnings = (*envelope.warnings, *partial)
    return Matrix(envelope.data.result, labels, warnings, nan_is_stale=stale)


def _size(element: _Element) -> int:
    """Samples and, of native histograms, buckets: what an element costs to read."""
    natives = element.histograms
    buckets = bytes(natives).count(b"],") if len(natives) > len(EMPTY_TEXT) else 0
    return bytes(element.values).count(b"],") + 1 + buckets


def _no_matrix(error: Exception, body: bytes, where: str) -> SourceError:
    at = body.rfind(AFTERTHOUGHT)
    if at < 0:
        return SourceError(f"{where} {not_the_api(error, body)}", retryable=False)
    told = refusal(where, 422, {}, body[at + 1 :])
    return told.final if isinstance(told, FlakyError) else told


def not_the_api(error: Exception, body: bytes = b"{") -> str:
    """Why a body is no answer of the API, as the end of a sentence about who sent it."""
    document = getattr(error, "doc", None)  # what a JSONDecodeError keeps of the text
    head = (document.encode() if isinstance(document, str) else body)[:200].lstrip()
    if head.startswith(b"<"):
        return "answered HTML instead of JSON: a login page or a wrong path? Check URL and auth"
    if not head.startswith(b"{"):
        return "did not answer JSON; check the URL"
    if document is not None or "truncated" in str(error):
        return "sent half an answer: its JSON is cut off"
    return f"answered JSON that is not an answer of the Prometheus API: {error}"


def _parsed(labels: list[Mapping[str, str]], values: Sequence[msgspec.Raw]) -> Columns:
    """All samples of elements, those without any too.

    Lax decoding reads the quoted numbers in C; it knows `Inf` but not `+Inf`, and `1e20` is
    `1e+20`, so the plus signs go with the brackets.
    """
    texts = [bytes(text).translate(None, b"[]+ \n") for text in values]
    flat = np.fromiter(_numbers.decode(b"[" + b",".join(t for t in texts if t) + b"]"), np.float64)
    counts = np.array([text.count(b",") + 1 if text else 0 for text in texts], np.int64)
    if (counts & 1).any():
        raise ValueError("a sample is a time and a value")
    return Columns(labels, *_ordered(counts // 2, flat[0::2], flat[1::2]))


def _ordered(
    sizes: Ints, times: FloatArray, values: FloatArray
) -> tuple[Ints, FloatArray, FloatArray]:
    """The samples of each element ascending in time, the first of those at one time."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    if ((owner[1:] > owner[:-1]) | (times[1:] > times[:-1])).all():
        return sizes, np.ascontiguousarray(times), np.ascontiguousarray(values)
    order = np.lexsort((times, owner))
    times, values, owner = times[order], values[order], owner[order]
    first = np.ones(len(times), np.bool_)
    first[1:] = (owner[1:] > owner[:-1]) | (times[1:] > times[:-1])
    return np.bincount(owner[first], minlength=len(sizes)), times[first], values[first]
