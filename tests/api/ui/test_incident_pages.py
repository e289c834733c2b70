"""The pages of incidents: what is wrong, since when, what it may come of, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.correlating import Correlating
from api.settings import Settings
from detector.alerts.brief import Gravity
from detector.alerts.settings import AlertRules, Hours, Quiet
from detector.alerts.settings import Route as Tree
from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.gate.telling import Route
from detector.incidents.record import Said, SaidKind
from detector.ports import Stores
from detector.spans.names import Node as End
from detector.spans.names import NodeKind
from detector.spans.topology import Edge, Graph
from detector.stream.anomaly import Severity
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.api.doors import quiet_logs
from tests.api.ui.parsed import Node, parse
from tests.pipelines.flows.happening import MINUTE, T0, Wire, anomaly
from tests.pipelines.flows.scripted import World

CALLS = (("web", "cart"), ("cart", "db"))


@dataclass(slots=True)
class Base:
    """Events of a database, and who calls whom."""

    databases: tuple[Database, ...]
    ailing: str = ""

    def graph(self, tenant: str) -> Graph:
        """The same for everybody."""
        ends = [tuple(End(kind=NodeKind.SERVICE, name=name) for name in pair) for pair in CALLS]
        edges = tuple(
            Edge(
                caller=caller, callee=callee, total_calls=1, total_failed=0, calls=1, failed=0,
                rate=1.0, error_ratio=0.0, mean_s=0.1, median_s=0.1, tail95_s=0.1, tail99_s=0.1,
            )
            for caller, callee in ends
        )  # fmt: skip
        return Graph(nodes=(), edges=edges, since=0, until=1)


@dataclass(slots=True)
class Site:
    """Pages over a database, by a clock of the test."""

    database: Database
    stores: Stores = field(default_factory=memory_stores)
    now: float = T0 / 1000
    rules: AlertRules | None = None

    @property
    def correlating(self) -> Correlating:
        """Made anew each time: all is in the database."""
        routes = [Route(name="chat"), Route(name="pager")]
        return Correlating(
            Base((self.database,)), self.stores, lambda: self.now, routes, self.rules
        )

    def at(self, minute: float) -> None:
        """It is so late, and what is new is looked at."""
        self.now = T0 / 1000 + 60 * minute
        made = self.correlating
        while made.look():
            pass

    def page(self, path: str, status: int = 200) -> Node:
        """A page as a tree."""
        quiet_logs()
        app = create_app(World().gate, Settings(), clock=lambda: self.now)
        app.state.context = replace(app.state.context, correlating=self.correlating)
        answer = TestClient(app, base_url="http://127.0.0.1:8080").get(path)
        assert answer.status_code == status, answer.text[:400]
        return parse(answer.text)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An outage that a deployment of db made, of which somebody knows, and one that is over."""
    database = Database(tmp_path_factory.mktemp("incidents") / "stream.db")
    site, wire = Site(database), Wire(database)
    site.at(-200)
    wire.tell(anomaly("mail", -190), anomaly("mail", -190, until=-180))
    site.at(-170)
    site.stores.changes.add("default", [deployed("db", -3), deployed("mail", -400)])
    wire.tell(anomaly("db", severity=Severity.HIGH))
    site.at(1)
    wire.tell(anomaly("cart", 1), anomaly("web", 2))
    site.at(3)
    store = SqlIncidents(database)
    id = store.events(0, 100)[-1].event.incident.id
    note = "<script>alert(1)</script>"
    said = Said(at=T0 + 3 * MINUTE, kind=SaidKind.ACKNOWLEDGED, person="ada", note=note)
    store.say("default", id, said)
    yield site
    database.close()


def deployed(service: str, minute: float) -> ChangeEvent:
    """As its controller told it."""
    return ChangeEvent(
        source=f"/argo-rollouts/shop/{service}",
        id=f"{service}/{minute}",
        subject=f"{service}/{minute}",
        at=T0 + round(MINUTE * minute),
        kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.SUCCEEDED,
        place=Place(service=service),
        version="v2",
        link="javascript:alert(1)" if service == "db" else "https://ci.example/7",
    )


def outage(site: Site) -> Node:
    """The page of the incident that lasts."""
    first = site.page("/incidents?state=open").one("article")
    return site.page(first.one("a").attrs["href"])


def test_the_list_says_who_since_when_and_what_it_comes_of(site: Site) -> None:
    """The newest first; enough to know which one to open."""
    first, second = site.page("/incidents").every("article")
    assert first.one("a").text == "db, cart and web"
    assert "Likely the deployment of db to v2" in first.text
    assert "3 anomalies in 3 services" in first.text
    assert "ada is at it" in first.text
    assert (first.attrs["class"], "over" in second.text) == ("line odd high", True)


@pytest.mark.parametrize(
    ("query", "count"),
    [("service=cart", 1), ("service=bank", 0), ("severity=high", 1), ("state=over", 1),
     ("from=2026-09-21T14:00", 1), ("to=2026-09-21T12:00", 1)],
)  # fmt: skip
def test_it_is_filtered_as_people_ask(site: Site, query: str, count: int) -> None:
    """And what was asked stays in the fields."""
    page = site.page(f"/incidents?{query}")
    assert len(list(page.every("article"))) == count
    assert page.one("form").one("a", href="/incidents").text == "Show all"


@pytest.mark.parametrize("query", ["state=closed", "severity=awful", "from=yesterday", "before=x"])
def test_what_cannot_be_meant_is_a_page_that_says_so(site: Site, query: str) -> None:
    """Not an empty list, which would look like a quiet night."""
    page = site.page(f"/incidents?{query}", 400)
    assert "No incident" not in page.text


def test_a_page_says_what_to_do_first(site: Site) -> None:
    """The command of the likeliest cause, before everything else."""
    head = outage(site).one("section", aria_label="In short")
    assert "What to do: kubectl argo rollouts undo db --namespace shop" in head.text
    assert "ada is at it" in head.text


def test_its_suspects_have_their_reasons(site: Site) -> None:
    """In words, with the odds of each; a link of a sender that is none is not shown."""
    suspect = outage(site).one("article", class_="line suspect")
    assert "deployment of db to v2" in suspect.text
    reasons = [one.text for one in suspect.one("ul").every("li")]
    assert "it changed db itself" in reasons
    assert "the first anomaly began 3 min after it" in reasons
    assert "javascript:" not in str([a.attrs["href"] for a in suspect.every("a")])


def test_the_lanes_show_what_came_first(site: Site) -> None:
    """A picture of it: the change, then the service that it broke, then its callers."""
    lanes = list(outage(site).one("table", class_="lanes").every("tr"))
    assert [lane.one("th").text for lane in lanes] == [
        "1 deployment of db to v2", "db", "cart", "web",
    ]  # fmt: skip
    starts = [float(bar.attrs["x"]) for lane in lanes for bar in list(lane.every("rect"))[1:]]
    assert starts == sorted(starts)
    assert all(0 <= start <= 100 for start in starts)
    assert lanes[1].one("svg").attrs["aria-label"].startswith("db: 1 anomaly since 14:13 UTC")


def test_the_timeline_is_in_order(site: Site) -> None:
    """What was told when."""
    lines = [one.text for one in outage(site).one("ol").every("li")]
    assert [line.split(" ", 1)[1].split(":")[0] for line in lines if line] != []
    assert "opened: db errors" in lines[0]
    assert "grew: web errors" in lines[-1]


def test_what_people_may_say_are_commands_that_say_it(site: Site) -> None:
    """Quoted whole: a browser's login may look only."""
    commands = [one.text for one in outage(site).one("details", id="say").every("code")]
    bodies = [shlex.split(one)[-1] for one in commands if one.startswith("curl")]
    assert bodies[0] == '{"said": "acknowledged"}'
    assert '"said": "caused_by", "change": "chg_' in bodies[2]


def test_what_somebody_wrote_is_text(site: Site) -> None:
    """A note is no script."""
    page = outage(site)
    assert "<script>alert(1)</script>" in page.one("section").text
    assert not list(page.one("section").every("script"))


def test_one_that_is_not_there_is_a_page(site: Site) -> None:
    """With the way back."""
    assert site.page("/incidents/inc_0", 404).text


def test_a_page_says_who_was_told_and_why_others_were_not(tmp_path: Path) -> None:
    """Whoever was on call and heard nothing reads why."""
    database = Database(tmp_path / "stream.db")
    site = Site(database)
    tree = Tree(receiver="chat", routes=(Tree(receiver="pager", quiet="day", carry_on=True),))
    hours = Quiet(hours=(Hours(start=0, end=1440),), severity=Gravity.HIGH)
    site.rules = AlertRules(route=tree, quiet={"day": hours})
    site.at(-1)
    Wire(database).tell(anomaly("db"))
    site.at(1)
    link = site.page("/incidents").one("article").one("a").attrs["href"]
    text = site.page(link).text
    assert "Who was told not pager, until " in text
    database.close()


def test_a_quiet_night_says_so(tmp_path: Path) -> None:
    """And where incidents come from."""
    database = Database(tmp_path / "stream.db")
    page = Site(database).page("/incidents")
    said = page.one("p", class_="empty").text
    assert said.startswith("No incident was found. They are made of anomalies")
    database.close()
