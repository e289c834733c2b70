"""A report as a message: its lines, its picture, its link, and who is never told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from io import BytesIO

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from api.notify import NotifierSection
from api.reporting import Reporting, open_scheduling, pictured, reporting_of, told_of, wall_of
from api.reports.words import Wall
from api.reports_settings import ReportsSection
from api.settings import Settings
from detector.errors import NotFoundError
from detector.gate.telling import Notice, NoticeKind
from pipelines.notify.blocks import message
from pipelines.notify.email import Email, message_of
from pipelines.notify.pagerduty import event_of
from pipelines.notify.plain import page_of, plain_of
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.slack_app import SlackApp
from pipelines.notify.webhook import cloud_event
from pipelines.reports.keeping import Archive
from pipelines.stores.memory import memory_stores
from pipelines.stores.memory_reports import MemoryReports
from tests.api.reports.examples import NOW, report
from tests.pipelines.capacity.faked import TableRanges
from tests.pipelines.notify.receiver import notice as fail
from tests.pipelines.notify.slack_server import slack
from tests.pipelines.notify.test_email import settings as mail_settings
from tests.pipelines.notify.test_slack_app import settings as app_settings

ID = "weekly-20261125-070000"
WHERE = "https://serinus.example.org"


@pytest.fixture
def reporting() -> Reporting:
    """One report is kept."""
    store = MemoryReports()
    Archive(store=store).keep(report(), title="", name="weekly")
    return Reporting(store=store, wall=Wall())


def notice(**changes: object) -> Notice:
    """As a schedule tells it."""
    told = told_of(report(), Wall())
    base = Notice(
        id=f"report:{ID}", kind=NoticeKind.REPORT, at=NOW / 1000, tenant="default",
        title=told.title, text="\n".join(told.lines), report=ID,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_message_has_the_first_lines() -> None:
    """Who reads it on a phone knows what is first, and where the rest is."""
    lines = list(plain_of(notice(), WHERE).lines)
    assert lines[0].startswith("Capacity of all services: 3 of 5 resources may run out")
    assert "Disk data of orders-db runs out in 23 days, Friday 18 December" in lines[2]
    assert lines[-1] == f"{WHERE}/reports/{ID}"


def test_in_slack_each_resource_has_its_line() -> None:
    """With a link to the page."""
    blocks = message(notice(), WHERE)["blocks"]
    text = str(blocks)
    assert ":bar_chart:" in text
    assert "4 days ago.\\nDisk data of orders-db" in text
    assert f"<{WHERE}/reports/{ID}|The whole report>" in text


def test_a_program_hears_its_id() -> None:
    """And asks for it at /v1/reports."""
    event = cloud_event(notice(), WHERE)
    assert event["type"] == "serinus.notice.report.v1"
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["report"], data["url"]) == (ID, f"{WHERE}/reports/{ID}")


def test_an_id_cannot_lead_elsewhere() -> None:
    """Though ids are ours."""
    assert page_of(notice(report="../x?y"), WHERE) == f"{WHERE}/reports/..%2Fx%3Fy"
    assert page_of(notice(), None) is None


@pytest.mark.parametrize("kind", ["pagerduty", "alertmanager"])
def test_no_report_wakes_anybody(kind: str) -> None:
    """Whatever the pager's settings say."""
    assert event_of(notice(), WHERE) is None
    pager = NotifierSettings(name="p", kind=kind, url="https://x.example.org", token="a" * 32)
    assert NoticeKind.REPORT not in pager.route.kinds
    chat = NotifierSettings(name="c", url="https://x.example.org")
    assert chat.route.wants(notice())


def test_a_receiver_may_want_none() -> None:
    """By its kinds, as of all other notices."""
    section = NotifierSection.model_validate({"url": "https://x", "kinds": ["fail"]})
    assert not section.native("ci", None).route.wants(notice())
    every = NotifierSection.model_validate({"url": "https://x"})
    assert every.native("chat", None).route.wants(notice())


def test_the_picture_is_that_of_the_report(reporting: Reporting) -> None:
    """In chat and in mail."""
    body = pictured(reporting, None)(notice())
    assert Image.open(BytesIO(body)).size[0] == 720


def test_other_notices_keep_their_picture(reporting: Reporting) -> None:
    """And where there is none, a report still has one."""
    assert pictured(reporting, lambda _: b"chart")(fail()) == b"chart"
    assert pictured(reporting, None)(fail()) == b""
    assert pictured(reporting, lambda _: b"chart")(notice()).startswith(b"\x89PNG")


@pytest.mark.parametrize("gone", [{"report": "gone"}, {"tenant": "other"}])
def test_without_its_report_it_is_told_without_a_picture(
    reporting: Reporting, gone: dict[str, object]
) -> None:
    """A message does not wait for one."""
    assert pictured(reporting, None)(notice(**gone)) == b""


def test_mail_has_it_attached(reporting: Reporting) -> None:
    """With the lines as text."""
    settings = mail_settings("smtp://127.0.0.1:25", public_url=WHERE)
    chart = pictured(reporting, None)(notice())
    mail: EmailMessage = message_of(notice(), settings, None, chart)
    (picture,) = mail.iter_attachments()
    assert picture.get_content() == chart
    assert str(mail["Subject"]).startswith("Capacity of all services: 3 of 5")
    assert Email(settings) is not None


def test_slack_shows_the_picture_below_the_message(reporting: Reporting) -> None:
    """By the app of a workspace, from the outbox, as everything else that it is told."""
    with slack() as workspace:
        SlackApp(app_settings(workspace.url), pictured(reporting, None)).send(notice())
        (file,) = workspace.files.values()
        (told,) = workspace.roots
    assert file.body == pictured(reporting, None)(notice())
    assert file.thread_ts == told.ts
    assert file.alt.startswith("Capacity of all services: 3 of 5")


def test_where_nothing_is_kept_there_are_no_reports() -> None:
    """It is told so, and no crash."""
    with pytest.raises(NotFoundError):
        reporting_of(None)


def test_the_clock_is_that_of_the_reports() -> None:
    """Else of the stream, else UTC."""
    stream = Settings.model_validate({"stream": {"zone": "Asia/Tokyo"}})
    assert wall_of(stream).zone == "Asia/Tokyo"
    own = stream.model_copy(update={"reports": ReportsSection(zone="Europe/Berlin")})
    assert wall_of(own).minute(NOW).endswith("08:00 Europe/Berlin")
    assert wall_of(Settings()).zone == "UTC"


@pytest.fixture
def scheduled() -> Iterator[CollectorRegistry]:
    """A process that makes a report each Monday, of a source that knows nothing, on no Monday."""
    stores, registry = memory_stores(), CollectorRegistry()
    section = ReportsSection.model_validate({"scheduled": {"weekly": {"at": "monday 09:00"}}})
    opened = open_scheduling(
        Settings(reports=section), TableRanges({}), stores, clock=lambda: NOW / 1000
    )
    assert opened is not None
    opened.start(registry)
    yield registry
    opened.close()


def test_what_fails_is_counted(scheduled: CollectorRegistry) -> None:
    """An alert can be made of it."""
    assert scheduled.get_sample_value("serinus_report_failures_total") == 0.0
