"""Reports over HTTP and as pages: listed, given in each form, and two side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from httpx2 import Response

from api.bodies.report import ReportsAnswer, ReportsComparedAnswer
from api.reporting import Reporting
from api.reports.page import content_policy
from api.reports.words import Wall
from detector.capacity.report import Report, of_json
from detector.reports.kept import KeptReport
from pipelines.reports.keeping import Archive
from pipelines.stores.memory import memory_stores
from tests.api.doors import Door
from tests.api.reports.examples import DAY_MS, NOW, cores, disk, hostile, pool, report
from tests.pipelines.reports.test_chromium import program
from tests.servers import require_server

NEW, OLD = "weekly-20261125-070000", "weekly-20261118-070000"
BEFORE = replace(report(disk(), cores()), made_at=NOW - 7 * DAY_MS)


def door_with(**others: Report) -> Door:
    """An app that keeps two reports of a schedule, and others by their names."""
    store, door = memory_stores().reports, Door()
    archive = Archive(store=store)
    for name, told in (("weekly", BEFORE), ("weekly", report()), *others.items()):
        archive.keep(told, title=f"in short: {told.scope}", name=name)
    context = door.app.state.context
    door.app.state.context = replace(context, reporting=Reporting(store=store, wall=Wall()))
    return door


@pytest.fixture(scope="module")
def door() -> Door:
    """Nobody writes to it."""
    return door_with(ill=replace(report(hostile()), made_at=NOW - 1000))


def ids(answer: Response) -> list[str]:
    """As they are listed."""
    ReportsAnswer.model_validate(answer.json())
    return [one["id"] for one in answer.json()["reports"]]


def test_the_newest_are_listed_first(door: Door) -> None:
    """With what a person needs to choose one."""
    answer = door.get("/v1/reports")
    assert ids(answer) == [NEW, "ill-20261125-065959", OLD]
    first = answer.json()["reports"][0]
    assert first["at"] == "2026-11-25T07:00:00.000Z"
    assert (first["name"], first["horizon_days"]) == ("weekly", 90.0)
    assert first["title"] == "in short: all services"


def test_pages_and_schedules(door: Door) -> None:
    """A year of weeks is more than one page."""
    assert ids(door.get("/v1/reports", name="weekly")) == [NEW, OLD]
    first = door.get("/v1/reports", name="weekly", limit="1")
    assert ids(first) == [NEW]
    rest = door.get("/v1/reports", name="weekly", limit="1", cursor=first.json()["next"])
    assert (ids(rest), rest.json()["next"]) == ([OLD], None)


def test_what_nobody_asked_for_is_not_in_the_way() -> None:
    """The background keeps one every six hours; who wants them asks for them by name."""
    door = door_with(capacity=replace(report(), made_at=NOW + 1))
    assert ids(door.get("/v1/reports")) == [NEW, OLD]
    assert ids(door.get("/v1/reports", name="capacity")) == ["capacity-20261125-070000"]
    assert "capacity-2026" not in door.client.get("/reports").text


def test_another_tenant_sees_none(door: Door) -> None:
    """Neither in lists nor by their ids."""
    headers = {"X-Scope-OrgID": "other"}
    assert ids(door.client.get("/v1/reports", headers=headers)) == []
    assert door.client.get(f"/v1/reports/{NEW}", headers=headers).status_code == 404


def test_json_is_the_report(door: Door) -> None:
    """As it was made, so that a program can read it back."""
    answer = door.get(f"/v1/reports/{NEW}")
    assert answer.headers["content-type"] == "application/json"
    assert of_json(answer.content) == report()


@pytest.mark.parametrize(
    ("form", "kind", "begins"),
    [
        ("html", "text/html; charset=utf-8", b"<!doctype html>"),
        ("csv", "text/csv; charset=utf-8", b"state,service"),
        ("png", "image/png", b"\x89PNG"),
    ],
)
def test_other_forms_are_given(door: Door, form: str, kind: str, begins: bytes) -> None:
    """Each as what it is."""
    answer = door.get(f"/v1/reports/{NEW}", format=form)
    assert answer.headers["content-type"] == kind
    assert answer.content.startswith(begins)


def printing(door: Door, browser: str) -> Door:
    """The same with a browser."""
    context = door.app.state.context
    reporting = replace(context.reporting, browser=browser)
    door.app.state.context = replace(context, reporting=reporting)
    return door


@pytest.mark.real
def test_a_pdf_is_printed_where_there_is_a_browser() -> None:
    """What the command line prints."""
    with_one = printing(door_with(), str(require_server("chromium")))
    answer = with_one.get(f"/v1/reports/{NEW}", format="pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        (None, 501, "apt install chromium"),
        ("echo no display >&2; exit 1", 503, "printed 0 bytes: no display"),
    ],
)
def test_where_nothing_is_printed_a_problem_says_why(
    script: str | None, status: int, words: str, tmp_path: Path
) -> None:
    """A page and the other forms are there all the same."""
    browser = "no-such-browser" if script is None else program(tmp_path, script)
    without = printing(door_with(), browser)
    answer = without.get(f"/v1/reports/{NEW}", format="pdf")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert without.get(f"/v1/reports/{NEW}", format="html").status_code == 200


@pytest.mark.parametrize("path", ["/reports/{}", "/v1/reports/{}?format=html"])
def test_the_page_may_run_nothing_but_its_own(door: Door, path: str) -> None:
    """Also where its names are hostile; and it is packed, being five megabytes."""
    answer = door.client.get(path.format("ill-20261125-065959"))
    assert answer.headers["content-security-policy"].startswith(content_policy())
    assert answer.headers["content-encoding"] == "gzip"
    assert "<script>alert(1)" not in answer.text
    plain = door.client.get(path.format(NEW), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text.startswith("<!doctype html>")


def test_two_are_held_side_by_side(door: Door) -> None:
    """What became worse first."""
    answer = door.get(f"/v1/reports/{OLD}/against/{NEW}")
    ReportsComparedAnswer.model_validate(answer.json())
    moved = answer.json()["moved"]
    assert (moved[0]["move"], moved[0]["title"]) == ("new", "connections pool of checkout")
    assert {one["move"] for one in moved} == {"new", "same"}
    assert moved[-1]["resource"] == "eu-1/search/search/cpu/cpu"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/reports/none", 404, "none"),
        (f"/v1/reports/{NEW}/against/none", 404, "none"),
        (f"/v1/reports/{NEW}?format=docx", 422, "format"),
        ("/v1/reports?limit=0", 422, "limit"),
        ("/v1/reports?cursor=x", 422, "cursor"),
        ("/v1/reports?before=x", 422, "before"),
    ],
)
def test_what_cannot_be_is_refused_by_name(door: Door, path: str, status: int, words: str) -> None:
    """As everywhere."""
    answer = door.client.get(path)
    assert answer.status_code in {status, 400}
    assert words in answer.text


def test_without_a_store_there_are_none() -> None:
    """An app of the gate alone says so."""
    assert Door().get("/v1/reports").status_code == 404
    assert Door().client.get("/reports").status_code == 404


def test_what_another_version_kept_is_told_as_that() -> None:
    """Never a broken page."""
    door = door_with()
    odd = KeptReport(
        id="odd", tenant="default", name="", at=1, horizon_s=1, scope="", title="",
        body=b'{"schema": 99}',
    )  # fmt: skip
    door.app.state.context.reporting.store.add(odd)
    answer = door.get("/v1/reports/odd")
    assert answer.status_code == 422
    assert "schema 99" in answer.text


def test_the_list_is_a_page(door: Door) -> None:
    """With a link to each, and its other forms."""
    page = door.client.get("/reports").text
    assert f'href="/reports/{NEW}"' in page
    assert f'href="/v1/reports/{NEW}?format=csv"' in page
    assert "in short: all services" in page
    only = door.client.get("/reports?name=weekly").text
    assert "ill-2026" not in only
    assert "25 November 2026, 07:00 UTC" in only


def test_an_empty_list_says_how_to_make_one() -> None:
    """Rather than an empty page."""
    door = Door()
    context, store = door.app.state.context, memory_stores().reports
    door.app.state.context = replace(context, reporting=Reporting(store=store, wall=Wall()))
    assert "serinus report capacity --all" in door.client.get("/reports").text


def test_a_page_that_is_not_there_is_a_page(door: Door) -> None:
    """Of a report that is too old, say."""
    answer = door.client.get("/reports/none")
    assert answer.status_code == 404
    assert "<html" in answer.text


def test_a_comparison_of_the_same_has_no_news() -> None:
    """Every resource is as before."""
    door = door_with(again=report(pool(), disk()))
    id = "again-20261125-070000"
    moved = door.get(f"/v1/reports/{id}/against/{id}").json()["moved"]
    assert [one["move"] for one in moved] == ["same", "same"]
