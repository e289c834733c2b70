"""`serinus report capacity` on a real Prometheus of forty days, and a schedule beside `serve`."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import yaml

from detector.capacity.report import Report, of_json
from tests.api.cli.process import served
from tests.api.cli.served import serinus
from tests.pipelines.capacity.world import Exposed, openmetrics
from tests.pipelines.notify.receiver import receiving
from tests.servers import require_server, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(280)]

DAYS, SCRAPE_S = 40, 1200
GIB = 2**30
RESOURCES = {
    "data": {
        "kind": "disk", "unit": "bytes", "usage": "disk_used", "limit": "200GiB",
        "service": "orders-db", "team": "shop",
    },
    "seats": {"kind": "licences", "usage": "seats_used", "limit": 500, "service": "crm"},
}  # fmt: skip
# Full in twenty days by its trend: a GiB a day.
GROWS = GIB / 24
SERIES = [
    Exposed("disk_used", 'disk_used{disk="a"}', (180 - DAYS) * GIB, GROWS),
    Exposed("seats_used", "seats_used{}", 100, 0.0),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Prometheus whose last sample is a few minutes old."""
    require_server("prometheus3")
    folder = tmp_path_factory.mktemp("prometheus")
    start = int(time.time()) - 300 - 86_400 * DAYS
    text = openmetrics(SERIES, start=start, hours=24 * DAYS, scrape_s=SCRAPE_S)
    file = folder / "history.om"
    file.write_text(text, encoding="utf-8")
    # Blocks of two hours would be five hundred.
    command = [str(require_server("promtool")), "tsdb", "create-blocks-from", "openmetrics",
               "--max-block-duration=512h", str(file), str(folder / "data")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with running_prometheus("prometheus3", folder) as server:
        yield server.url


def configured(folder: Path, source: str, **more: object) -> Path:
    """A configuration with resources by hand alone."""
    file = folder / "serinus.yaml"
    tree = {
        "source": {"url": source},
        "data": str(folder / "data"),
        "capacity": {"resources": RESOURCES, "history_days": DAYS, "prices": {"disk": 0.1}},
        **more,
    }
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return file


def made(config: Path, *words: str) -> Report:
    """What is told programs."""
    asked = serinus("report", "capacity", "--config", str(config), "--format", "json", *words)
    assert asked.exit_code == 0, asked.output
    return of_json(asked.stdout)


def test_a_report_of_all_in_every_form(source: str, tmp_path: Path) -> None:
    """The disk first, about twenty days from now; the licences last."""
    config = configured(tmp_path, source)
    files = [tmp_path / f"report.{form}" for form in ("html", "csv", "json", "png")]
    out = [word for file in files for word in ("--out", str(file))]
    asked = serinus("report", "capacity", "--all", "--config", str(config), *out)
    assert asked.exit_code == 0, asked.output
    lines = asked.stdout.splitlines()
    assert lines[0] == "Capacity of all services: the next 90 days"
    assert any("▲ runs out" in line and "disk data of orders-db" in line for line in lines)
    assert any("✔ lasts" in line and "licences seats of crm" in line for line in lines)
    report = of_json(files[2].read_bytes())
    disk = report.assessments[0]
    assert disk.exhaustion is not None
    assert disk.exhaustion.p50 is not None
    assert 15 < (disk.exhaustion.p50 - report.made_at) / 86_400_000 < 25
    rows = list(csv.DictReader(files[1].open(encoding="utf-8", newline="")))
    assert [one["service"] for one in rows[:2]] == ["orders-db", "crm"]
    assert "<h1>Capacity of all services" in files[0].read_text(encoding="utf-8")
    assert files[3].read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "data").exists()


def test_a_report_of_one_service_supposes_more(source: str, tmp_path: Path) -> None:
    """What is supposed makes it earlier, and is said."""
    config = configured(tmp_path, source)
    plain = made(config, "--service", "orders-db", "--horizon", "60d")
    more = made(config, "--team", "shop", "--what-if", "limit 190GiB")
    assert (plain.scope, plain.horizon_s) == ("orders-db", 60 * 86_400)
    assert (more.scope, more.what_if) == ("team shop", ("limit 190GiB",))
    (before,), (after,) = plain.assessments, more.assessments
    assert before.exhaustion is not None
    assert after.exhaustion is not None
    assert before.exhaustion.p50 is not None
    assert after.exhaustion.p50 is not None
    assert after.exhaustion.p50 < before.exhaustion.p50


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--service NAME, --team NAME, or --all"),
        (("--all", "--service", "crm"), "--service NAME, --team NAME, or --all"),
        (("--all", "--out", "report.docx"), "--out: "),
        (("--all", "--horizon", "5y"), "--horizon: "),
        (("--all", "--horizon", "999d"), "--horizon: is between 1d and 366d"),
        (("--all", "--what-if", "more"), "--what-if: "),
        (("--service", "smr"), "crm, orders-db"),
    ],
)
def test_wrong_usage_names_the_option(
    words: tuple[str, ...], told: str, source: str, tmp_path: Path
) -> None:
    """And what there is."""
    config = configured(tmp_path, source)
    asked = serinus("report", "capacity", "--config", str(config), *words)
    assert asked.exit_code == 2, asked.output
    assert told in asked.stderr


def test_a_source_that_is_away_is_no_report(tmp_path: Path) -> None:
    """The exit code is that of what could not be asked, and no file is written."""
    config, file = configured(tmp_path, "http://127.0.0.1:9"), tmp_path / "report.html"
    asked = serinus("report", "capacity", "--all", "--config", str(config), "--out", str(file))
    assert asked.exit_code == 4
    assert not file.exists()


def test_serve_makes_keeps_and_tells_what_is_due(source: str, tmp_path: Path) -> None:
    """An hour ago it was due: it is made, told to a webhook, given as page, and then compared."""
    due = datetime.now(UTC) - timedelta(hours=1)
    with receiving() as ear:
        config = configured(
            tmp_path,
            source,
            reports={"scheduled": {"shop": {"at": f"{due:%A} {due:%H:%M}", "team": "shop"}}},
            notify={
                "public_url": "https://serinus.example.org",
                "to": {"ops": {"url": ear.url, "allow_private": True, "kinds": ["report"]}},
            },
        )
        with served("--config", str(config), "--port", "0") as process:
            assert ear.came.acquire(timeout=120)
            told = json.loads(ear.got[0].body)["data"]
            id = told["report"]
            assert id.startswith(f"shop-{due:%Y%m%d-%H%M}")
            assert "Disk data of orders-db" in told["text"]
            assert told["url"] == f"https://serinus.example.org/reports/{id}"
            page = httpx2.get(f"{process.url}/reports/{id}", timeout=20)
            assert page.status_code == 200
            assert "disk data of orders-db" in page.text
        by_hand = made(config, "--team", "shop")
        kept = serinus("report", "list", "--data", str(tmp_path / "data"), "--format", "json")
        ids = [one["id"] for one in json.loads(kept.stdout)["reports"]]
        assert len(ids) == 2
        assert ids[1] == id
        assert ids[0].startswith("report-")
        assert by_hand.scope == "team shop"
        compared = serinus("report", "compare", id, ids[0], "--data", str(tmp_path / "data"))
        assert "1 resource as before." in compared.stdout
