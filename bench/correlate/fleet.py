"""Incidents of a simulated fleet: is the guilty change named, and nobody else's blamed.

    python bench/correlate/fleet.py [--quick] [--json FILE] [--seed N] [--services N] [--days N]

Two hundred services call each other; sixty changes a day, one in twenty bad, and three faults a day
that no change made, for four weeks with daily and weekly seasons (`fleet_world.py`). What they show
each minute goes through the product's models and operator, its anomalies with the changes through
the correlation, and what is told of incidents through the rules of who hears of it: one team, of at
most 42 a week. A fault counts as found if an incident began in its time at its service or at one
that calls it; `unsure` are those where *none* has between 0.3 and 0.7, of which about half should
be of no change. Beside it, on the same incidents: the latest change before an incident, and the
latest one of the very service.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.correlate.burn import beside  # noqa: E402
from bench.correlate.fleet_world import (  # noqa: E402
    DAY,
    SIGNALS,
    START_MS,
    STEP_MS,
    Fault,
    Fleet,
    Made,
    drawn,
    metrics,
)
from bench.ending import concluded  # noqa: E402
from detector.alerts.budget import WEEK_MS  # noqa: E402
from detector.alerts.history import History, pruned  # noqa: E402
from detector.alerts.plan import TellKind, decide  # noqa: E402
from detector.alerts.settings import AlertRules, Budget, Route  # noqa: E402
from detector.changes.change import (  # noqa: E402
    Change,
    ChangeEvent,
    ChangePhase,
    Place,
    change_of,
)
from detector.incidents.briefing import brief_of  # noqa: E402
from detector.incidents.calls import call_map  # noqa: E402
from detector.incidents.correlator import Correlator  # noqa: E402
from detector.incidents.incident import (  # noqa: E402
    Incident,
    IncidentEvent,
    IncidentState,
)
from detector.incidents.record import NumberedEvent  # noqa: E402
from detector.incidents.symptom import symptom_of  # noqa: E402
from detector.stream.columns import Columns, SeriesInfo, SeriesKind  # noqa: E402
from detector.stream.introducing import introduced  # noqa: E402
from detector.stream.operator import step as judge  # noqa: E402
from detector.stream.scorer import ModelScorer  # noqa: E402
from detector.stream.settings import StreamSettings  # noqa: E402
from detector.stream.state import StreamState  # noqa: E402
from detector.stream.subject import Owners  # noqa: E402
from models.anomaly.scored import Settings  # noqa: E402

ASKED = {
    "guilty_first": (">=", 0.90),
    "guilty_top3": (">=", 0.97),
    "unblamed": (">=", 0.95),
    "incidents_per_fault": ("<=", 1.2),
    "notify_minutes": ("<=", 3.0),
    "budget_weeks_held": (">=", 1.0),
}
# Incidents a week that the team wants to hear of: about as many as there are faults.
BUDGET = 42


@dataclass(slots=True)
class Told:
    """An incident as it was first told, and as it was in the end."""

    first: Incident
    last: Incident
    told_at: int


@dataclass(slots=True)
class Watch:
    """The product's operator and correlation over a fleet's metrics."""

    fleet: Fleet
    alarms: float
    told: dict[str, Told] = field(default_factory=dict)
    events: list[IncidentEvent] = field(default_factory=list)
    anomalies: int = 0

    def run(self) -> None:
        """All days."""
        fleet = self.fleet
        state = StreamState(
            tenant="bench",
            scorer=ModelScorer(Settings()),
            settings=StreamSettings(alarms_a_week=self.alarms),
        )
        named = [
            SeriesInfo(
                labels=(("__name__", signal), ("service", name_of(service))), kind=SeriesKind.GAUGE
            )
            for service in range(fleet.size)
            for signal in SIGNALS
        ]
        series = dict(enumerate(named))
        state = introduced(state, named, Owners(()))
        correlator = Correlator.fresh("bench", START_MS)
        correlator.calls = call_map(
            (name_of(int(a)), name_of(int(b))) for a, b in np.argwhere(fleet.calls > 0)
        )
        news = sorted(changes_told(fleet.changes), key=lambda change: change.told_at)
        rows = np.arange(len(named), dtype=np.int32)
        for first, values in metrics(fleet):
            print(f"day {first // DAY}: {len(self.told)} incidents", end="\r", flush=True)
            flat = values.reshape(DAY, -1)
            for minute in range(DAY):
                now = START_MS + STEP_MS * (first + minute)
                while news and news[0].told_at <= now:
                    self._hear(correlator.changed([news.pop(0)], now))
                columns = Columns(series=rows, at=np.full(len(rows), now), value=flat[minute])
                state, happened = judge(state, columns)
                self.anomalies += len(happened)
                symptoms = [symptom_of(one.anomaly, series) for one in happened]
                self._hear(correlator.feed(symptoms, now))
                self._hear(correlator.tick(now))

    def _hear(self, events: Sequence[IncidentEvent]) -> None:
        self.events += events
        for event in events:
            incident = event.incident
            if incident.id not in self.told:
                self.told[incident.id] = Told(incident, incident, event.at)
            self.told[incident.id].last = incident


def name_of(service: int) -> str:
    """As its series name it."""
    return f"svc{service}"


def changes_told(changes: Sequence[Made]) -> Iterator[Change]:
    """Each change at its start, and again at its end."""
    for made in changes:
        events = [_event(made, made.start, ChangePhase.STARTED)]
        yield change_of(events)
        yield change_of([*events, _event(made, made.end, ChangePhase.SUCCEEDED)])


def _event(made: Made, step: float, phase: ChangePhase) -> ChangeEvent:
    return ChangeEvent(
        source="/bench",
        id=f"{made.number}/{phase}",
        subject=str(made.number),
        at=START_MS + round(STEP_MS * step),
        kind=made.kind,
        phase=phase,
        place=Place(service="" if made.service is None else name_of(made.service)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A fault, the incidents of it in the order in which they began, and what shows its harm."""

    fault: Fault
    incidents: tuple[Told, ...]

    @property
    def minutes(self) -> float:
        """From the beginning of the harm to the first word."""
        return (self.incidents[0].told_at - START_MS) / STEP_MS - self.fault.start

    def rank(self) -> int | None:
        """Of the guilty change in the end; None where it is not among the suspects above none."""
        suspects = self.incidents[0].last.suspects
        for place, suspect in enumerate(suspects.suspects):
            if suspect.change.subject == str(self.fault.change):
                return place + 1 if place or suspect.probability > suspects.none else None
        return None

    def is_blamed(self) -> bool:
        """Whether any change is likelier than none."""
        suspects = self.incidents[0].last.suspects
        first = next(iter(suspects.suspects), None)
        return first is not None and first.probability > suspects.none


def outcomes(fleet: Fleet, told: Sequence[Told]) -> tuple[list[Outcome], list[Told]]:
    """Each fault with its incidents, and the incidents of no fault."""
    reach = _callers(fleet)
    left = sorted(
        (one for one in told if one.last.state is not IncidentState.MERGED),
        key=lambda one: one.last.began,
    )
    found: list[Outcome] = []
    taken: set[str] = set()
    for fault in fleet.faults:
        places = {name_of(service) for service in reach[fault.service]}
        own = [
            one
            for one in left
            if fault.start - 2 <= (one.last.began - START_MS) / STEP_MS <= fault.end + 15
            and places & set(one.last.services)
        ]
        taken |= {one.last.id for one in own}
        found.append(Outcome(fault=fault, incidents=tuple(own)))
    return found, [one for one in left if one.last.id not in taken]


def _callers(fleet: Fleet) -> list[set[int]]:
    """Of each service itself and whoever calls it, over any number of calls."""
    found: list[set[int]] = [{service} for service in range(fleet.size)]
    for callee in range(fleet.size):
        wave = [callee]
        while wave:
            one = wave.pop()
            for caller in np.flatnonzero(fleet.calls[:, one] > 0).tolist():
                if caller not in found[callee]:
                    found[callee].add(caller)
                    wave.append(caller)
    return found


def budgeted(events: Sequence[IncidentEvent], budget: int) -> dict[str, int]:
    """When each incident is first told to a team that hears of so many a week."""
    rules = AlertRules(
        route=Route(receiver="team", team="team"), budgets={"team": Budget(a_week=budget)}
    )
    history, found = History(), dict[str, int]()
    for number, event in enumerate(events):
        brief = brief_of(NumberedEvent(number=number, event=event))
        decision = decide(brief, rules, history, event.at)
        history = pruned(decision.history, event.at)
        if any(one.kind is TellKind.FIRST for one in decision.tells):
            found[brief.id] = event.at
    return found


def weeks_held(told: Iterable[int], days: int, budget: int) -> float:
    """The share of weeks in which no seven days had more than so many."""
    times = sorted(told)
    over = [at for n, at in enumerate(times) if n >= budget and at - times[n - budget] < WEEK_MS]
    weeks = max(1, days // 7)
    broken = {min(weeks - 1, (at - START_MS) // WEEK_MS) for at in over}
    return 1.0 - len(broken) / weeks


def figures_of(fleet: Fleet, watch: Watch) -> dict[str, float]:
    """What is asked, and what stands round it."""
    every, stray = outcomes(fleet, list(watch.told.values()))
    seen = [one for one in every if one.incidents]
    guilty = [one for one in seen if one.fault.change is not None]
    alone = [one for one in seen if one.fault.change is None]
    ranks = [one.rank() for one in guilty]
    first = budgeted(watch.events, BUDGET)
    heard = [one for one in seen if any(each.last.id in first for each in one.incidents)]
    unsure = [one for one in seen if 0.3 <= one.incidents[0].last.suspects.none < 0.7]
    return {
        "guilty_first": _share(rank == 1 for rank in ranks),
        "guilty_top3": _share(rank is not None and rank <= 3 for rank in ranks),
        "unblamed": _share(not one.is_blamed() for one in alone),
        "incidents_per_fault": sum(len(one.incidents) for one in seen) / max(1, len(seen)),
        "notify_minutes": median(one.minutes for one in seen),
        "budget_weeks_held": weeks_held(first.values(), fleet.days, BUDGET),
        "told_a_week": 7 * len(first) / fleet.days,
        "faults_told": len(heard) / max(1, len(seen)),
        "faults_found": len(seen) / max(1, len(every)),
        "bad_changes": float(len(guilty)),
        "unrelated_faults": float(len(alone)),
        "stray_incidents_a_day": len(stray) / fleet.days,
        "anomaly_events": float(watch.anomalies),
        "unsure": float(len(unsure)),
        "unsure_unrelated": _share(one.fault.change is None for one in unsure),
    }


def peers_of(fleet: Fleet, watch: Watch) -> dict[str, dict[str, float]]:
    """The latest change before an incident, of any service or of the one that showed it first."""
    every, _ = outcomes(fleet, list(watch.told.values()))
    seen = [one for one in every if one.incidents]
    found = {}
    for name, is_own in (("latest_change", False), ("latest_change_of_service", True)):
        named = [(one, _latest(fleet, one.incidents[0].last, is_own)) for one in seen]
        guilty = [(one, made) for one, made in named if one.fault.change is not None]
        alone = [made for one, made in named if one.fault.change is None]
        found[name] = {
            "guilty_first": _share(
                made is not None and made.number == one.fault.change for one, made in guilty
            ),
            "unblamed": _share(made is None for made in alone),
        }
    return found


def _latest(fleet: Fleet, incident: Incident, is_own: bool) -> Made | None:
    """Of the last two hours."""
    began = (incident.began - START_MS) / STEP_MS
    own = incident.services[0]
    before = [
        made
        for made in fleet.changes
        if began - 120 <= made.start <= began
        and (not is_own or (made.service is not None and name_of(made.service) == own))
    ]
    return max(before, key=lambda made: made.start, default=None)


def _share(marks: Iterable[bool]) -> float:
    values = list(marks)
    return sum(values) / len(values) if values else float("nan")


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="60 services, 5 days")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--services", type=int, help="how many, 200 if not told")
    parser.add_argument("--days", type=int, help="how many, 28 if not told")
    parser.add_argument("--alarms", type=float, default=400.0, help="of the stream, a week")
    args = parser.parse_args(argv)
    services = args.services or (60 if args.quick else 200)
    days = args.days or (5 if args.quick else 28)
    fleet = drawn(args.seed, services=services, days=days)
    watch = Watch(fleet, args.alarms)
    watch.run()
    figures, peers = figures_of(fleet, watch), peers_of(fleet, watch)
    ours, peers["burn by 14.4/6/1"] = beside(args.seed, 20 if args.quick else 200)
    figures |= ours
    for name, by in (("serinus", figures), *peers.items()):
        print(name, " ".join(f"{key}={value:.3g}" for key, value in by.items()))
    setup = {"services": services, "days": days, "seed": args.seed, "alarms_a_week": args.alarms}
    return concluded(figures, peers, {} if args.quick else ASKED, setup, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
