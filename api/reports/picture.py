"""A report as a picture for chat: its first lines, and what runs out when."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from api.reports.gist import gist_of
from api.reports.runway import Lane, Runway, runway_of
from api.reports.words import Wall, span_text
from detector.capacity.report import Report
from pipelines.notify.plain import one_line

__all__ = ["WIDTH", "picture_of"]

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# A phone shows it whole, and everything in it can be read there.
WIDTH = 720
_LANES = 6
_EDGE, _ROW, _LINE = 20, 34, 24
# Where bars begin and end.
_LEFT, _RIGHT = 240, 560
_PAPER, _INK, _MUTED, _WAY = (255, 255, 255), (27, 31, 36), (83, 92, 102), (226, 230, 234)
_RANGES = {"fail": (228, 166, 163), "inconclusive": (214, 195, 160)}
_MARKS = {"fail": (168, 32, 26), "inconclusive": (119, 75, 0)}
# Drawn larger and made smaller: its edges have no steps then.
_FINE = 2


def picture_of(report: Report, wall: Wall) -> bytes:
    """A PNG; the same of the same report."""
    runway, title = runway_of(report, wall), f"Capacity of {report.scope}"
    lines = [one_line(line, 300) for line in gist_of(report, wall)]
    sheet = _Sheet(_height(lines, runway))
    sheet.text((_EDGE, 14), one_line(title, 80), size=19)
    sheet.text((WIDTH - _EDGE, 17), wall.short(report.made_at), size=14, colour=_MUTED, anchor="ra")
    top = 48
    for number, line in enumerate(sheet.wrapped(lines)):
        sheet.text((_EDGE, top + _LINE * number), line, size=15)
    top += _LINE * len(sheet.wrapped(lines)) + 12
    if runway is None:
        within = span_text(report.horizon_s)
        sheet.text(
            (_EDGE, top), f"Nothing is seen to run out within {within}.", size=14, colour=_MUTED
        )
    else:
        _draw(sheet, runway, top)
    return sheet.png()


def _height(lines: Sequence[str], runway: Runway | None) -> int:
    many = len(_Sheet(10).wrapped(lines))
    below = 40 if runway is None else _ROW * min(len(runway.lanes), _LANES) + 62
    return 48 + _LINE * many + 12 + below


class _Sheet:
    """Paper on which places are those of the small picture."""

    def __init__(self, height: int) -> None:
        self._image = Image.new("RGB", (WIDTH * _FINE, height * _FINE), _PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._size = (WIDTH, height)

    def text(
        self,
        at: tuple[float, float],
        words: str,
        *,
        size: int,
        colour: Colour = _INK,
        anchor: str = "la",
    ) -> None:
        """One line."""
        place = (at[0] * _FINE, at[1] * _FINE)
        self._draw.text(place, words, colour, _font(size), anchor=anchor)

    def bar(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A filled one."""
        self._draw.rectangle([_FINE * side for side in (left, top, right, bottom)], fill=colour)

    def fitted(self, words: str, size: int, room: float) -> str:
        """As much of a line as there is room for."""
        while len(words) > 1 and self._length(words, size) > room:
            words = words[:-2].rstrip() + "…"
        return words

    def wrapped(self, lines: Sequence[str]) -> list[str]:
        """Lines of the summary, broken between words."""
        broken = list[str]()
        for line in lines:
            now = ""
            for word in line.split():
                longer = f"{now} {word}".strip()
                if now and self._length(longer, 15) > WIDTH - 2 * _EDGE:
                    broken.append(now)
                    longer = word
                now = longer
            broken.append(self.fitted(now, 15, WIDTH - 2 * _EDGE))
        return broken

    def _length(self, words: str, size: int) -> float:
        return self._draw.textlength(words, _font(size)) / _FINE

    def png(self) -> bytes:
        """Nothing else is in the file."""
        out = BytesIO()
        self._image.resize(self._size, Image.Resampling.BOX).save(out, "PNG", optimize=True)
        return out.getvalue()


def _font(size: int) -> Font:
    return ImageFont.load_default(size * _FINE)


def _draw(sheet: _Sheet, runway: Runway, top: int) -> None:
    for share, day in runway.ticks:
        anchor = "la" if share == 0 else "ra" if share == 1 else "ma"
        sheet.text((_x(share), top), day, size=11, colour=_MUTED, anchor=anchor)
    lanes = runway.lanes[:_LANES]
    for number, lane in enumerate(lanes):
        _lane(sheet, lane, top + 20 + _ROW * number)
    more = runway.more + len(runway.lanes) - len(lanes)
    words = "Bar: the day is within it in 8 cases of 10. Mark: the middle."
    words += f" {more} more are in the report." if more else ""
    sheet.text((_EDGE, top + 24 + _ROW * len(lanes)), words, size=12, colour=_MUTED)


def _lane(sheet: _Sheet, lane: Lane, top: int) -> None:
    middle = top + _ROW / 2
    title = sheet.fitted(one_line(lane.title, 80), 14, _LEFT - _EDGE - 12)
    sheet.text((_EDGE, middle), title, size=14, anchor="lm")
    sheet.bar(_LEFT, middle - 2, _RIGHT, middle + 2, _WAY)
    sheet.bar(_x(lane.begin), middle - 7, max(_x(lane.end), _x(lane.begin) + 3), middle + 7,
              _RANGES[lane.tint])  # fmt: skip
    if lane.middle is not None:
        x = _x(lane.middle)
        sheet.bar(x - 1.5, middle - 10, x + 1.5, middle + 10, _MARKS[lane.tint])
    label = sheet.fitted(lane.label, 13, WIDTH - _EDGE - _RIGHT - 10)
    sheet.text((_RIGHT + 10, middle), label, size=13, anchor="lm")


def _x(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * share
