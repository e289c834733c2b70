"""What a manager reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.capacity.assess import Assessment, assess
from detector.capacity.prices import Prices
from detector.capacity.report import LeftOut, Report, of_json, to_json
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.summary import composed, sentence, urgency
from tests.detector.capacity.worlds import NOW, disk, hours, web

HORIZON_S = 90 * 86_400
PRICES = Prices(currency="EUR", a_month={Kind.CPU: 10.0, Kind.DISK: 0.1})


def told(resource: Resource) -> Assessment:
    """At `NOW`, with prices."""
    return assess(resource, horizon_s=HORIZON_S, as_of=NOW, prices=PRICES)


def report(*resources: Resource, left_out: tuple[LeftOut, ...] = ()) -> Report:
    """Of these."""
    return composed(
        [told(one) for one in resources],
        made_at=NOW, horizon_s=HORIZON_S, scope="all", left_out=left_out,
    )  # fmt: skip


SOON = replace(disk(limit=200.0), name="soon")
LATER = replace(disk(limit=230.0), name="later")
FULL = replace(disk(limit=150.0), name="full")
NEVER = replace(disk(limit=1000.0), name="never")
YOUNG = replace(disk(), name="young", usage=hours(np.arange(96.0)))
UNLIMITED = replace(disk(), name="unlimited", limit=None)


def test_the_most_urgent_comes_first() -> None:
    """Full, soon, later, never, then what nothing can be told of."""
    found = report(UNLIMITED, YOUNG, NEVER, LATER, FULL, SOON)
    names = [one.identity.name for one in found.assessments]
    assert names == ["full", "soon", "later", "never", "young", "unlimited"]
    assert of_json(to_json(found)) == found


def test_the_first_page_says_what_runs_out_and_what_to_do_by_when() -> None:
    """In whole sentences with dates and amounts."""
    first, full, soon, *rest = report(SOON, FULL, NEVER, YOUNG).summary
    assert first == "2 of 3 resources may run out within 90 days; the most urgent first."
    assert full.startswith("Disk full of db is used up since 2")
    assert " now; that costs " in full
    assert soon.startswith("Disk soon of db runs out about ")
    assert "with 80 %; above 99 % within 90 days)" in soon
    assert " Raise the limit from 200 GiB to " in soon
    assert " before " in soon
    assert rest == [
        "No date can be told of disk young of db (not enough history: needs 14 days, has 4 days)."
    ]


def test_where_nothing_runs_out_it_says_so() -> None:
    """With what could be given back, and what was not looked at."""
    idle = replace(web(limit=8.0, requested=8.0), name="idle")
    found = report(NEVER, idle, left_out=(LeftOut(name="queue", why="no limit"),))
    assert found.summary[0] == "Nothing of 2 resources is likely to run out within 90 days."
    assert found.summary[1].startswith("1 resource could be given less, which saves ")
    assert found.summary[1].endswith(" EUR a month.")
    assert found.summary[2] == "1 resource could not be looked at; the reasons are listed."


def test_a_report_of_nothing_promises_nothing() -> None:
    """Neither of what is unknown."""
    assert report().summary == ()
    assert report(YOUNG).summary[0] == "No date can be told of anything here."


def test_of_many_the_first_five_are_named() -> None:
    """The rest is counted."""
    many = [replace(SOON, name=f"d{n}") for n in range(7)]
    found = report(*many)
    assert found.summary[0].startswith("7 of 7 resources")
    assert found.summary[6] == "2 resources more may run out within 90 days."


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (NEVER, "lasts for the next 90 days: the chance that it runs out is below 1 %"),
        (YOUNG, "no date can be told: not enough history"),
        (UNLIMITED, "no date can be told, as no limit is known."),
        (replace(disk(limit=1.0), name="mixed"), "both GiB: are units mixed?"),
    ],
)
def test_a_sentence_is_never_surer_than_the_figures(resource: Resource, words: str) -> None:
    """No certainty, and no line where there is none."""
    said = sentence(told(resource))
    assert words in said
    assert not said.endswith("?.")


def test_what_is_raised_in_each_replica_says_so() -> None:
    """Costs are of all of them."""
    said = sentence(told(web(limit=1.5, growth=1.0, replicas=3)))
    assert "Raise the limit of each replica from 1.5 cores to " in said
    assert "EUR a month" in said
    assert said.startswith("CPU of web is used up since ")


def test_a_maybe_is_before_a_hardly() -> None:
    """And the fuller of two is first."""
    maybe = told(replace(disk(limit=251.0), name="maybe"))
    assert urgency(maybe) < urgency(told(NEVER))
    half, quarter = (told(replace(NEVER, limit=Limit.of(size))) for size in (1000.0, 2000.0))
    assert urgency(half) < urgency(quarter)
