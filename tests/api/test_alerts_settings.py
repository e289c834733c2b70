"""The section `alerts`: what its document shows loads, and what is wrong is named by its key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from api.alerts_settings import (
    AlertsSection,
    DigestSection,
    EscalationSection,
    HoursSection,
    InhibitSection,
    MaintenanceSection,
    QuietSection,
    RouteSection,
    StepSection,
)
from api.settings import load_settings
from detector.alerts.brief import Gravity
from detector.alerts.history import History
from detector.alerts.plan import decide
from detector.alerts.routing import destinations
from detector.alerts.windows import hours_end
from detector.errors import ConfigError
from detector.explain.weekly import WeeklyAt
from tests.detector.alerts.making import HOUR, MONDAY, brief
from tests.house.dockerfile import ROOT

DOC = ROOT / "docs" / "alerts.md"
SECTIONS = (
    AlertsSection,
    DigestSection,
    EscalationSection,
    HoursSection,
    InhibitSection,
    MaintenanceSection,
    QuietSection,
    RouteSection,
    StepSection,
)


def documented() -> str:
    """The first YAML of the document."""
    found = re.search(r"```yaml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def commented() -> str:
    """The example that serinus.example.yaml holds in comments."""
    text = (ROOT / "serinus.example.yaml").read_text(encoding="utf-8")
    found = re.search(r"# for example\n((?:#   .*\n)+)alerts:\n", text)
    assert found is not None
    lines = [line.removeprefix("#   ") for line in found[1].splitlines()]
    to = "".join(
        f"    {name}: {{url: 'http://x'}}\n" for name in ("team-chat", "oncall", "incidents")
    )
    return f"notify:\n  to:\n{to}alerts:\n" + "\n".join(f"  {line}" for line in lines)


@pytest.mark.parametrize("text", [documented(), commented()], ids=["document", "example"])
def test_what_people_copy_loads(tmp_path: Path, text: str) -> None:
    """And routes something."""
    file = tmp_path / "serinus.yaml"
    file.write_text(text, encoding="utf-8")
    rules = load_settings(file).alerts.native()
    assert decide(brief(), rules, History(), MONDAY + 12 * HOUR).receivers


def test_the_document_means_what_it_says() -> None:
    """Its sentences were written of these values."""
    rules = AlertsSection.model_validate(yaml.safe_load(documented())["alerts"]).native()
    assert rules.route is not None
    (pay,) = destinations(rules.route, brief(1, Gravity.HIGH, ("pay-api",), namespace="shop"))
    assert (pay.receiver, pay.team, pay.escalation) == ("oncall", "shop", "shop-oncall")
    night = rules.quiet["night"].hours[0]
    # 23:30 in Berlin on Monday; until seven there.
    assert hours_end(night, MONDAY + 22 * HOUR + HOUR // 2) == MONDAY + 30 * HOUR
    assert rules.budgets["shop"].a_week == 10


def test_every_key_is_in_the_document() -> None:
    """What can be set is explained."""
    text = DOC.read_text(encoding="utf-8")
    keys = {field.alias or name for kind in SECTIONS for name, field in kind.model_fields.items()}
    assert {key for key in keys if f"`{key}`" not in text} == set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("route: {}", "alerts.route.receiver"),
        ("route: {to: chat, match: 'a=~\"(\"'}", "alerts.route.match"),
        ("route: {to: chat, match: 'a'}", "alerts.route.match"),
        ("route: {to: chat}", "alerts.receiver: there is no 'chat'; there are: none"),
        ("route: {to: chat, quiet: night}", "there is no 'night'"),
        ("route: {to: chat, severity: grave}", "alerts.route.severity"),
        ("quiet: {night: {hours: [{start: '25:00', end: '07:00'}]}}", "start"),
        ("quiet: {night: {hours: [{start: '22:00', end: '07:00', days: [mon]}]}}", "days"),
        ("quiet: {night: {hours: [{start: '24:00', end: '07:00'}]}}", "start"),
        ("quiet: {n: {zone: Mars/Base, hours: [{start: '22:00', end: '07:00'}]}}", "Mars/Base"),
        ("maintenance: {db: {reason: upgrade}}", "maintenance.db"),
        (
            "maintenance: {db: {start: 2026-11-29T02:00:00, end: 2026-11-29T03:00:00}}",
            "alerts.maintenance.db.start: needs a time zone",
        ),
        ("inhibit: [{source: ''}]", "inhibit.source"),
        ("escalations: {up: {steps: []}}", "escalations.up.steps"),
        ("escalations: {up: {steps: [{after_minutes: 0, to: a}]}}", "after_minutes"),
        ("budgets: {shop: 0}", "budgets.shop"),
        ("budgets: {shop: 5000}", "budgets.a_week"),
        ("digest: {at: mondays}", "alerts.digest.at"),
        ("digest: {zone: Mars/Base}", "alerts.digest.zone"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    """Before anything starts."""
    file = tmp_path / "serinus.yaml"
    file.write_text(f"alerts: {{{text}}}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_settings(file)
    assert told in str(refused.value)


def test_a_maintenance_is_by_the_clock_of_its_zone() -> None:
    """Two in the morning there."""
    section = MaintenanceSection.model_validate(
        {"start": "2026-11-24T02:00:00", "end": "2026-11-24T03:00:00Z", "zone": "Europe/Berlin"}
    )
    window = section.native("db")
    assert (window.start, window.end) == (MONDAY + 25 * HOUR, MONDAY + 27 * HOUR)


def test_a_digest_is_due_on_monday_morning_where_the_team_is() -> None:
    """Nine in Berlin is eight in UTC in winter."""
    assert AlertsSection().digest.moment == WeeklyAt(day=0, hour=9, minute=0)
    berlin = DigestSection(zone="Europe/Berlin").moment
    assert berlin is not None
    assert berlin.before((MONDAY + 12 * HOUR) / 1000) == (MONDAY + 8 * HOUR) / 1000
    assert DigestSection(at="never").moment is None
