"""What every test shares: Hypothesis profiles, chosen by HYPOTHESIS_PROFILE or by CI=true."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import timedelta

import pytest
import structlog
from _pytest.doctest import DoctestModule
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.lanes import Lanes, give_way, place

# No deadline: a shared machine pauses a process for longer than any example takes.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,  # a red build names a commit, not a draw
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("soak", max_examples=5000, deadline=timedelta(seconds=30))

settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE")
    or ("ci" if os.environ.get("CI", "").lower() == "true" else "default")
)


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """No test writes where another one's logs went, which may be closed by then, or is silenced."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def plain_logs(own_logs: None) -> None:
    """Logs that nobody has silenced, not for a whole module either."""
    structlog.reset_defaults()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without collecting garbage, and never look through them again.

    Collecting makes a million objects and lets none go: to look for garbage among them took a third
    of its time, and more again during the tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for examples in docstrings of ours, not of tests: a tenth of the time of collecting."""
    found = yield
    return [one for one in found if not isinstance(one, DoctestModule)]


def pytest_configure(config: pytest.Config) -> None:
    give_way(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Modules that wait first, those that only compute last (tests/lanes.py)."""
    long = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "real")))}
    paths = {item.path for item in items}
    module = {path: path.relative_to(config.rootpath).as_posix() for path in paths}
    items.sort(key=lambda item: place(module[item.path], long=item.path in long))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes | None:
    """Of `--dist loadscope`, which is what `make test` asks for."""
    return Lanes(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one place what this machine could not test, and how our tree measures."""
    _tell_what_was_skipped(terminalreporter)
    _tell_the_shape(terminalreporter)


def _tell_what_was_skipped(reporter: pytest.TerminalReporter) -> None:
    reasons = Counter(_reason(report) for report in reporter.stats.get("skipped", []))
    if reasons:
        reporter.section("NOT TESTED on this machine", sep="=", yellow=True)
        for reason, tests in reasons.most_common():
            reporter.line(f"{tests:>5} tests: {reason}", yellow=True)


def _reason(report: pytest.TestReport) -> str:
    place = report.longrepr
    text = place[2] if isinstance(place, tuple) else str(place)
    return text.removeprefix("Skipped: ")


def _tell_the_shape(reporter: pytest.TerminalReporter) -> None:
    for report in reporter.stats.get("passed", []):
        shape = dict(report.user_properties).get("shape")
        if shape:
            reporter.section("shape of the tree", sep="-")
            reporter.line(str(shape))
