"""Microsoft Teams by a webhook of its Workflows: each happening is an Adaptive Card."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from detector.errors import DeliveryError
from detector.gate.render import Json
from detector.gate.telling import Notice, NoticeKind
from pipelines.notify.plain import Plain, is_web, one_line, plain_of
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.slack_pictures import Charts
from pipelines.notify.teams_picture import data_uri
from pipelines.notify.wire import Wire

__all__ = ["Teams", "card_of"]

# A message has 28 kB, and what receives it may count two bytes for each letter.
_ALL = 26_000
_ALT = 300
# A connector of the old kind said 200 and put the real answer into words.
_INNER = re.compile(rb"returned HTTP error (\d{3})")
_COLOURS = {NoticeKind.FAIL: "attention", NoticeKind.PAUSE: "warning"}

Element = dict[str, Json]


class Teams:
    """`Notifier` to one channel or chat, with a URL that is a secret at once.

    A workflow takes cards and gives nothing by which one could be changed or answered later.
    `charts` gives the picture of a notice as PNG, empty for none.
    """

    def __init__(self, settings: NotifierSettings, charts: Charts | None = None) -> None:
        self._settings, self._wire, self._charts = settings, Wire(settings), charts

    def send(self, notice: Notice) -> None:
        """Return once the workflow took it; whether its card can be posted it says to nobody."""
        chart = b"" if self._charts is None else self._charts(notice)
        body = msgspec.json.encode(card_of(notice, self._settings.public_url, chart))
        said = self._wire.post(body, {"Content-Type": "application/json; charset=utf-8"})
        inner = _INNER.search(said)
        if inner is not None:
            status = int(inner[1])
            raise DeliveryError(
                f"{self._settings.place} answered {status} in words",
                retryable=status == 429 or status >= 500,
            )


def card_of(notice: Notice, public_url: str | None, chart: bytes = b"") -> dict[str, Json]:
    """The whole message; what is too much for one is left out, and said to be.

    The picture is shown where there is room for it below the words.
    """
    told = plain_of(notice, public_url)
    elements, most = list(_elements(notice, told)), 0
    while most < len(elements) and _size(_message(elements[: most + 1], told)) <= _ALL:
        most += 1
    if most < len(elements):
        return _message(elements[:most], told, is_cut=True)
    return _message([*elements, *_pictures(chart, told, _message(elements, told))], told)


def _pictures(chart: bytes, told: Plain, message: dict[str, Json]) -> Iterator[Element]:
    around: Element = {"type": "Image", "url": "", "altText": one_line(told.headline, _ALT)}
    room = _ALL - _size(message) - _size(around)
    url = data_uri(chart, room // 2 - 1)
    if url is not None:
        yield around | {"url": url}


def _message(elements: list[Element], told: Plain, *, is_cut: bool = False) -> dict[str, Json]:
    left: list[Element] = [_line("More was left out here: see the pages of serinus.")]
    body: list[Json] = [*elements, *(left if is_cut else [])]
    card: dict[str, Json] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if told.link is not None and is_web(told.link):
        open_page: Json = {"type": "Action.OpenUrl", "title": "See it in serinus", "url": told.link}
        card["actions"] = [open_page]
    attachment: Json = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _elements(notice: Notice, told: Plain) -> Iterator[Element]:
    yield _rich([_run(told.headline, size="Large", weight="Bolder", color=_colour(notice))])
    if told.text:
        yield _line(told.text)
    for name, value in told.facts:
        yield _rich([_run(f"{name}: ", weight="Bolder"), _run(value)])
    yield from (_line(f"• {point}") for point in told.points)
    if told.advice:
        yield _rich([_run(told.advice, weight="Bolder")])


def _colour(notice: Notice) -> str:
    incident = notice.incident
    if incident is None:
        return _COLOURS.get(notice.kind, "accent")
    return "good" if notice.is_lasting else "attention"


def _line(text: str) -> Element:
    return _rich([_run(text)])


def _rich(runs: list[Json]) -> Element:
    """A paragraph in which no text is markup, as it would be in a TextBlock or a FactSet."""
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **looks: Json) -> Json:
    return {"type": "TextRun", "text": text or "–", **looks}


def _size(message: dict[str, Json]) -> int:
    return len(msgspec.json.encode(message).decode().encode("utf-16-le"))
