"""Notices in Teams: cards that it takes, with words of others that do nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PIL import Image

from api.reports.picture import picture_of
from api.reports.words import Wall
from detector.alerts.brief import Sign
from detector.errors import ConfigError, DeliveryError
from detector.gate.cure import Cure
from detector.gate.telling import Ailing, NoticeKind
from pipelines.notify.open import open_notifier
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.teams import Teams, card_of
from pipelines.notify.teams_picture import data_uri
from tests.api.reports.examples import report
from tests.pipelines.notify.briefs import AT, brief, cause, told
from tests.pipelines.notify.receiver import notice
from tests.pipelines.notify.teams_server import Channel, channel, refusal, words_of
from tests.pipelines.notify.vendor import Answer

WHERE = "https://serinus.example.org"


@pytest.fixture
def team() -> Iterator[Channel]:
    """A channel."""
    with channel() as one:
        yield one


def settings(url: str, **changes: object) -> NotifierSettings:
    """A notifier to it."""
    base: dict[str, object] = {
        "name": "ops",
        "kind": "teams",
        "url": url,
        "public_url": WHERE,
        "allow_private": True,
    }
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def test_an_incident_is_a_card(team: Channel) -> None:
    """What, since when, who, why, what to do, and a button that leads to its page."""
    Teams(settings(team.url)).send(told())
    (card,) = team.cards
    words = words_of(card)
    assert words[0] == "Incident: checkout: errors up"
    assert "Affected: checkout, web" in words
    assert "Likely cause: checkout v2.3.1 (deployment) at 2026-11-23 13:56 UTC: 83 %" in words
    assert words[-1].endswith("kubectl argo rollouts undo checkout")
    assert card["actions"] == [
        {
            "type": "Action.OpenUrl",
            "title": "See it in serinus",
            "url": f"{WHERE}/incidents/inc_0123456789abcdef",
        }
    ]


def test_each_happening_is_a_card_of_its_own(team: Channel) -> None:
    """A workflow gives nothing by which a card could be changed."""
    notifier = Teams(settings(team.url))
    for one in (told(), told(1, "grew"), told(2, "resolved")):
        notifier.send(one)
    assert [words_of(card)[0].split(":")[0] for card in team.cards] == [
        "Incident",
        "Incident",
        "Resolved",
    ]
    colours = [card["body"][0]["inlines"][0]["color"] for card in team.cards]
    assert colours == ["attention", "attention", "good"]


@pytest.mark.parametrize(
    ("kind", "colour"),
    [
        (NoticeKind.FAIL, "attention"),
        (NoticeKind.PAUSE, "warning"),
        (NoticeKind.TEST, "accent"),
    ],
)
def test_other_kinds_are_cards_too(team: Channel, kind: NoticeKind, colour: str) -> None:
    """With their text and what comes of it."""
    Teams(settings(team.url)).send(notice(kind=kind))
    (card,) = team.cards
    assert words_of(card)[:2] == ["checkout v2 failed", "Errors rose."]
    assert card["body"][0]["inlines"][0]["color"] == colour
    assert card["actions"][0]["url"] == f"{WHERE}/rollouts/a1"


def test_a_report_of_the_week_is_a_list(team: Channel) -> None:
    """Without a button: there is no one page of it."""
    cure = Cure(code="low_traffic", text="Raise its weight.")
    one = Ailing(service="cart", rollouts=3, cure=cure, attempt="a9", example="Few.")
    Teams(settings(team.url)).send(notice(kind=NoticeKind.WEEKLY, verdict=None, ailing=(one,)))
    (card,) = team.cards
    assert "• cart: all 3 rollouts undecided. Raise its weight." in words_of(card)
    assert "actions" not in card


def test_words_of_others_are_no_markup() -> None:
    """A service may be called like a link; a TextBlock would make one of it."""
    odd = "[free](https://eve.example.org) **x** <at>all</at>"
    made: Any = json.loads(json.dumps(card_of(told(title=odd, services=(odd,)), WHERE)))
    card = made["attachments"][0]["content"]
    assert words_of(card)[0] == f"Incident: {odd}"
    kinds = {run["type"] for block in card["body"] for run in block["inlines"]}
    assert kinds == {"TextRun"}
    assert set(card["msteams"]) == {"width"}


def test_what_is_too_much_is_left_out_and_said_to_be(team: Channel) -> None:
    """Teams would take an oversize card from the workflow and show nothing."""
    text = "ü" * 5000
    signs = tuple(Sign(anomaly="a", service=text, text=text, since=AT) for _ in range(200))
    causes = tuple(cause(title=text, reasons=(text,) * 9, advice=text) for _ in range(9))
    services = tuple(f"{text}{n}" for n in range(100))
    Teams(settings(team.url)).send(
        told(title=text, signs=signs, count=900, causes=causes, services=services)
    )
    cure = Cure(code="low_traffic", text=text)
    ones = [
        Ailing(service=text, rollouts=3, cure=cure, attempt="a9", example="") for _ in range(99)
    ]
    weekly = notice(kind=NoticeKind.WEEKLY, verdict=None, text=text, title=text, ailing=tuple(ones))
    Teams(settings(team.url)).send(weekly)
    assert len(team.cards) == 2
    assert "More was left out here: see the pages of serinus." in words_of(team.cards[1])


@profile(max_examples=50)
@given(st.text(max_size=600), st.lists(st.text(max_size=100), min_size=1, max_size=20))
def test_whatever_things_are_called_it_is_a_card(title: str, services: list[str]) -> None:
    """An empty text would make Teams refuse all of it."""
    odd = told(title=title, services=tuple(services), note=title, why="said", said="snoozed")
    assert refusal(json.loads(json.dumps(card_of(odd, WHERE)))) is None
    assert brief().services


@pytest.mark.parametrize(
    ("answer", "retryable", "after"),
    [
        (Answer(429, b"", 17), True, 17.0),
        (Answer(502), True, None),
        (Answer(400, b'{"error":{"code":"InvalidCard"}}'), False, None),
        (Answer(200, b"Microsoft Teams endpoint returned HTTP error 429 with C"), True, None),
        (Answer(200, b"Microsoft Teams endpoint returned HTTP error 413 with C"), False, None),
    ],
)
def test_what_is_no_acknowledgement(
    team: Channel, answer: Answer, retryable: bool, after: float | None
) -> None:
    """Also where it is in words below a status of 200, as connectors have it."""
    team.ill.append(answer)
    with pytest.raises(DeliveryError) as told_:
        Teams(settings(team.url)).send(told())
    assert (told_.value.retryable, told_.value.after_s) == (retryable, after)


def test_a_wrong_signature_is_told_without_the_url(team: Channel) -> None:
    """The URL is the secret."""
    with pytest.raises(DeliveryError, match="answered 401") as told_:
        Teams(settings(team.url.replace("s3cret", "wr0ng"))).send(told())
    assert "wr0ng" not in str(told_.value)


def test_its_url_is_in_a_file(team: Channel, tmp_path: Path) -> None:
    """And one of both is needed."""
    file = tmp_path / "url"
    file.write_text(team.url + "\n")
    plain = NotifierSettings(name="ops", kind="teams", url_file=str(file), allow_private=True)
    notifier = open_notifier(plain, lambda: 0.0)
    notifier.send(told())
    assert len(team.cards) == 1
    with pytest.raises(ConfigError, match="give one of url, url_file"):
        NotifierSettings(name="ops", kind="teams")


def picture(*, colours: int = 3, wide: int = 640) -> bytes:
    """A chart of so many colours."""
    drawn = Image.effect_noise((wide, 240), 60).quantize(colours)
    out = BytesIO()
    drawn.convert("RGB").save(out, "PNG")
    return out.getvalue()


def bars() -> bytes:
    """What a chart is like: large even areas."""
    drawn = Image.new("RGB", (640, 240), (255, 255, 255))
    for number in range(200):
        shade = (number, 255 - number, 128)
        drawn.paste(shade, (3 * number, 10, 3 * number + 2, 10 + number))
    out = BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()


def test_a_picture_is_in_the_card(team: Channel) -> None:
    """Below the words, and it says in words what it is."""
    Teams(settings(team.url), lambda _: bars()).send(told())
    (card,) = team.cards
    shown = card["body"][-1]
    assert shown["type"] == "Image"
    assert shown["altText"] == words_of(card)[0]
    body = base64.b64decode(shown["url"].partition(",")[2])
    assert Image.open(BytesIO(body)).size == (640, 240)


def test_a_picture_that_is_too_large_is_left_out(team: Channel) -> None:
    """The words are told in any case."""
    Teams(settings(team.url), lambda _: picture(colours=200, wide=1200)).send(told())
    (card,) = team.cards
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert words_of(card)[0] == "Incident: checkout: errors up"


def test_without_a_picture_there_is_none(team: Channel) -> None:
    """As of a notice that has none."""
    Teams(settings(team.url), lambda _: b"").send(told())
    assert "Image" not in str(team.cards)


@profile(max_examples=20)
@given(st.integers(0, 30_000))
def test_an_address_is_never_longer_than_its_room(most: int) -> None:
    """Whatever the room is."""
    url, whole = data_uri(bars(), most), data_uri(bars(), 10**6)
    assert whole is not None
    assert url is None or len(url) <= most
    assert (url == whole) == (most >= len(whole))


def test_the_picture_of_a_report_has_room(team: Channel) -> None:
    """The largest that is drawn, beside its first lines."""
    chart = picture_of(report(), Wall())
    Teams(settings(team.url), lambda _: chart).send(told())
    assert team.cards[0]["body"][-1]["type"] == "Image"
