"""`serinus try` on a real Prometheus with rollouts in its past, and its text."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.cli.try_text import ODDITIES, config_text, strip_of, try_text
from api.settings import Settings, load_settings
from bench.gate.company import Company, build
from detector.backtest.course import Course, PastRollout, Poll
from detector.discovery.census import Skipped
from detector.discovery.judged import Judged
from detector.discovery.matching import literal
from detector.discovery.oddities import Oddity, OddityKind
from detector.discovery.past import Ending, Run, Telling
from detector.discovery.portrait import Listing
from detector.discovery.tried import Placebos, Report, Rolled
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome
from detector.series import Matcher, MatchOp
from detector.signals.plan import Family, Missing, Plan
from detector.signals.signal import Shape
from tests.api.cli.served import serinus
from tests.servers import require_server, running_prometheus

NOW = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class Place:
    """A Prometheus and what was put into it."""

    url: str
    company: Company


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Half a day of four services with three rollouts, of which one failed requests."""
    promtool = require_server("promtool")
    folder = Path(tmp_path_factory.mktemp("company"))
    company = Company(
        now=float(int(time.time())), services=25, pods=4, days=0.7, rollouts=3, busiest=2
    )
    build(company, folder, promtool)
    with running_prometheus("prometheus2", folder) as server:
        yield Place(server.url, company)


def tried(place: Place, *words: str) -> tuple[int, str, str]:
    """Exit code, output, and what was said beside it."""
    asked = ("--days", "0.7", "--placebos", "6", "--jobs", "1", "--within", "5m")
    done = serinus("try", place.url, *asked, "--as-of", str(place.company.now), *words)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_strangers_past_is_told_as_it_was(place: Place) -> None:
    """Every rollout found, the bad one stopped, the good ones let on; nothing was written."""
    before = _written(place.url)
    code, text, said = tried(place, "--format", "json")
    assert code == 0, said
    body = json.loads(text)
    releases = {place.company.name(one.service): one for one in place.company.releases()}
    found = {one["service"]: one for one in body["rollouts"]}
    assert set(found) == set(releases)
    for name, release in releases.items():
        assert (found[name]["first_fail"] is not None) == release.is_bad, name
    assert len(body["services"]) == 25
    assert (body["placebos"]["judged"], body["placebos"]["failed"]) == (6, 0)
    assert _written(place.url) == before
    assert "verdicts of past rollouts" in said


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_not_reached_in_the_time_is_named(place: Place) -> None:
    """A slow source ends with less, never with nothing and never late."""
    begun = time.monotonic()
    code, text, _ = tried(place, "--within", "1s", "--rollouts", "1")
    assert code == 0
    assert re.search(r"[Nn]ot (yet )?looked at", text), text
    assert time.monotonic() - begun < 60


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--days", "0"), "--days"),
        (("--within", "soon"), "--within"),
        (("--jobs", "0"), "--jobs"),
        (("--as-of", "yesterday"), "--as-of"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    place: Place, words: tuple[str, str], field: str
) -> None:
    """A slip must not look like an empty Prometheus."""
    done = serinus("try", place.url, *words)
    assert done.exit_code == 2
    assert field in done.stderr


def test_a_prometheus_that_is_not_there_is_no_empty_report() -> None:
    """Code 4: it could not be asked."""
    done = serinus("try", "http://127.0.0.1:9")
    assert done.exit_code == 4
    assert "cannot connect" in done.stderr


def test_without_a_url_the_command_says_what_to_give() -> None:
    """No traceback."""
    done = serinus("try")
    assert done.exit_code == 2
    assert "serinus try URL" in done.stderr


def _written(url: str) -> list[str]:
    """How many series and samples the server was ever given while it ran."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines: list[str] = answer.read().decode().splitlines()
    kinds = ("prometheus_tsdb_head_series ", "prometheus_tsdb_head_samples_appended_total")
    found = [line for line in lines if line.startswith(kinds)]
    assert found
    return found


# -- text


def poll(minute: int, outcome: Outcome) -> Poll:
    """One answer."""
    reason = Reason(ReasonCode.COLLECTING, f"Said at minute {minute}.")
    return Poll(at=NOW + 60 * minute, outcome=outcome, answer=outcome, reason=reason, final=False)


def run(name: str) -> Run:
    """A revision."""
    revision = Matcher("pod", MatchOp.MATCHES, f"{literal(name)}-.+")
    return Run(revision=revision, pods=frozenset(), first=NOW, last=NOW + 600, by="pod hash")


def rolled(
    *outcomes: Outcome, ending: Ending = Ending.PROMOTED, problem: str | None = None
) -> Rolled:
    """A rollout that was answered so."""
    found = Telling(
        service="web", new=run("web-6d9f7c"), old=run("web-5c4b8d"), until=NOW + 600, ending=ending
    )
    request = VerdictRequest(service="web", canary="{}")
    polls = tuple(poll(at, outcome) for at, outcome in enumerate(outcomes, 1))
    past = PastRollout(request=request, start=NOW, end=NOW + 600)
    return Rolled(found=found, course=Course(rollout=past, polls=polls, problem=problem))


def report(**changes: Any) -> Report:  # noqa: ANN401
    """A report of nothing, with changes."""
    told: dict[str, Any] = {
        "listing": Listing(metrics=3, services=1, skipped=()),
        "rates": {},
        "judged": (),
        "unjudged": (),
        "rolled": (),
        "unread": (),
        "skipped": (),
        "placebos": Placebos.of([], asked=0),
        "oddities": (),
        "days": 14.0,
        "now": NOW,
        "stages": {"services": 1.0},
    }
    return Report(**{**told, **changes})


def said(**changes: Any) -> str:  # noqa: ANN401
    """The text of a report."""
    return try_text(report(**changes), Settings())


def test_each_minute_is_a_sign() -> None:
    """When it would have gone on, at a glance."""
    outcomes = (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.FAIL)
    assert strip_of(rolled(*outcomes)) == "..+x"


@pytest.mark.parametrize(
    ("outcomes", "ending", "says"),
    [
        ((Outcome.FAIL,), Ending.ROLLED_BACK, "would have stopped it, as people did"),
        ((Outcome.FAIL,), Ending.PROMOTED, "would have stopped it"),
        ((Outcome.PASS,), Ending.PROMOTED, "would have let it on"),
        ((Outcome.PASS,), Ending.ROLLED_BACK, "would have let it on, people took it back"),
        ((Outcome.INCONCLUSIVE,), Ending.OPEN, "would have stayed undecided"),
    ],
)
def test_what_it_would_have_done_stands_beside_what_people_did(
    outcomes: tuple[Outcome, ...], ending: Ending, says: str
) -> None:
    """That is what a stranger compares."""
    assert rolled(*outcomes, ending=ending).says == says


def test_a_rollout_that_could_not_be_judged_says_why() -> None:
    """It is not counted as let on."""
    text = said(rolled=(rolled(problem="Prometheus refused."),))
    assert "could not be judged: Prometheus refused." in text


def test_rollouts_that_were_not_read_are_named() -> None:
    """Not yet looked at, and not forgotten."""
    text = said(unread=(rolled(Outcome.PASS).found,))
    assert "1 found" in text
    assert "Not yet looked at, begun about then" in text
    assert "web-6d9f7c" in text


def test_a_past_that_was_not_reached_is_not_a_past_without_rollouts() -> None:
    """`0 found` would tell a company that nothing was released in two weeks."""
    text = said(is_past_reached=False)
    assert "Rollouts of the last 14 days: not looked at, the time was up" in text
    assert "found" not in text.split("Rollouts of the last")[1].splitlines()[0]


def test_a_past_that_was_looked_at_and_is_empty_says_so() -> None:
    """Nothing found is a finding."""
    assert "Rollouts of the last 14 days: 0 found." in said()


@pytest.mark.parametrize(
    ("services", "told"), [(1, "the past of one service"), (3, "the past of 3 services")]
)
def test_a_past_that_could_not_be_read_stands_beside_what_was_found(
    services: int, told: str
) -> None:
    """A refused query hides rollouts; the count says that it is not whole."""
    skipped = tuple(Skipped(what=f"web-{n}", why="too much") for n in range(services))
    assert f"0 found; {told} could not be read, see Skipped." in said(skipped=skipped)


def test_placebos_that_were_not_reached_say_nothing_of_the_data() -> None:
    """Too few stable pods is a reason to mend something, out of time is none."""
    text = said(placebos=Placebos.of([], asked=0, is_reached=False))
    assert "False alarms on your own data: not looked at, the time was up" in text
    assert "too few stable pods" not in text


def test_placebos_that_nobody_could_be_asked_about_say_why() -> None:
    """A service of one pod has no placebos, however long one waits."""
    assert "no placebo could be judged (too few stable pods)" in said()


def test_a_week_that_was_not_looked_at_is_not_a_calm_one() -> None:
    """`Nothing odd` is a finding, and was not made."""
    late = Listing(metrics=3, services=0, skipped=(Skipped(what=ODDITIES, why="late"),))
    assert "The strangest of the week: not looked at" in said(listing=late)
    assert "Nothing odd" not in said(listing=late)
    assert "Nothing odd in the busiest services this week." in said()


def test_services_that_are_too_large_to_look_at_are_still_services() -> None:
    """200 services of 50,000 series each are known; that no metric counts requests is untrue."""
    large = Listing(metrics=3, services=200, skipped=(Skipped(what="web", why="too many"),))
    text = said(listing=large)
    assert "None of them was looked at; see Skipped." in text
    for finding in ("0 found", "no placebo could be judged", "Nothing odd"):
        assert finding not in text
    assert "No metric counts requests" not in text
    assert "No metric counts requests" in said(listing=Listing(metrics=3, services=0, skipped=()))


def test_the_false_alarm_rate_has_its_interval() -> None:
    """None of forty is not none."""
    good = [rolled(Outcome.PASS).course] * 40
    text = said(placebos=Placebos.of(good, asked=60))
    assert "0 of 40 placebos" in text
    assert "8.8%" in text
    assert "20 more were not asked about" in text


def test_a_placebo_that_failed_is_shown_with_its_reason() -> None:
    """A false alarm is what people want to see first."""
    text = said(placebos=Placebos.of([rolled(Outcome.FAIL).course], asked=1))
    assert "1 of 1 placebos" in text
    assert "serinus aa raises what a fail needs of web" in text
    assert "Said at minute 1." in text


def test_an_oddity_beside_a_rollout_names_it() -> None:
    """The cause is often what was being rolled out."""
    odd = Oddity(
        service="web",
        kind=OddityKind.ERRORS,
        begin=NOW,
        end=NOW + 1800,
        value=0.031,
        usual=0.002,
        score=9.0,
    )
    text = said(oddities=(odd,), rolled=(rolled(Outcome.FAIL),))
    assert "errors 3.10%, in the week 0.20%; web-6d9f7c was being rolled out" in text


def test_what_was_skipped_for_one_reason_stands_in_one_line() -> None:
    """Forty services of which each would say the same."""
    skipped = tuple(Skipped(what=f"svc-{n}", why="too wide") for n in range(40))
    text = said(listing=Listing(metrics=3, services=40, skipped=skipped))
    assert text.count("too wide") == 1
    assert "35 more" in text


def test_the_configuration_is_one_that_serinus_takes(tmp_path: Path) -> None:
    """Pasted into a file it works, and stops nothing yet."""
    file = tmp_path / "serinus.yaml"
    file.write_text(config_text(Settings()), encoding="utf-8")
    loaded = load_settings(file, {})
    (policy,) = loaded.native_policies
    assert (policy.name, policy.mode.value) == ("default", "shadow")
    assert yaml.safe_load(file.read_text("utf-8"))["source"]["url"] == loaded.source.url


def test_what_is_not_bound_is_told_once_for_all_that_lack_it() -> None:
    """Two hundred services lack it for the same reason."""
    plan = Plan(
        service="web", canary=(), control=(), requests=Family(metric="x", shape=Shape.COUNTER),
        signals=(), missing=(Missing(name="restarts", why="no such metric"),),
    )  # fmt: skip
    judged = tuple(
        Judged(
            service=f"svc-{n}",
            pods=3,
            plan=plan,
            required=("error_rate",),
            judged=(),
            shown=(),
            missing=plan.missing,
        )
        for n in range(30)
    )
    text = said(judged=judged, rates={"svc-0": 12.0})
    assert text.count("no such metric") == 1
    assert "restarts of all: no such metric" in text
    assert "10 with error_rate" in text
