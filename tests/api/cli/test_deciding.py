from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.compose import DATABASE, open_records
from detector.gate.policy import Mode
from detector.gate.record import Filter
from detector.gate.verdict import Outcome
from pipelines.stores.sqlite import Database
from tests.api.cli.served import serinus, serving
from tests.api.doors import CANARY, Door, failing_door
from tests.pipelines.flows.scripted import World

WHY = ("--reason", "INC-42: the cache is noisy")


@pytest.fixture
def door() -> Door:
    return failing_door()


@pytest.fixture
def url(door: Door) -> Iterator[str]:
    with serving(door.app) as address:
        yield address


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that `serinus serve` has used, with one failed attempt."""
    database = Database(tmp_path / DATABASE)
    failing_door(Door(world=World(stores=database.stores()))).post()
    database.close()
    return tmp_path


def attempt_in(data: Path) -> str:
    opened = open_records(data)
    try:
        return opened.stores.verdicts.list(Filter()).verdicts[0].attempt
    finally:
        opened.close()


def asked(url: str) -> tuple[int, str]:
    """Exit code and answer of a check."""
    result = serinus("check", "--service", "checkout", "--canary", CANARY, "--server", url)
    return result.exit_code, result.stdout


def test_override_decides(url: str, door: Door) -> None:
    """What a person says stands from the next answer on, and the answer names them."""
    attempt = str(door.post().json()["attempt"])
    decision = ("--outcome", "pass", "--for", "1h", "--person", "ada")
    result = serinus("override", attempt, *decision, *WHY, "--server", url)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].startswith(f"pass for attempt {attempt}, until 20")
    assert "ada: INC-42" in result.stdout
    code, text = asked(url)
    assert code == 0
    assert "ada" in text


def test_override_on_the_records(data: Path) -> None:
    """Where the server does not come up, its records can still be decided on."""
    attempt = attempt_in(data)
    decision = ("--outcome", "pass", "--for", "1h")
    result = serinus("override", attempt, *decision, *WHY, "--data", str(data))
    assert result.exit_code == 0, result.output
    opened = open_records(data)
    (made,) = opened.stores.overrides.of(attempt)
    opened.close()
    assert (made.outcome, made.person) == (Outcome.PASS, getpass.getuser())
    assert made.until - made.at == 3600


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--for", "forever"], "--for"),
        (["--for", "31d"], "30 days"),
        (["--for", "0s"], "--for"),
        (["--for", "1h", "--reason", " "], "--reason"),
    ],
)
def test_override_that_cannot_stand_is_refused(url: str, words: list[str], told: str) -> None:
    """With the option to mend."""
    base = ["override", "a", "--outcome", "pass", "--reason", "why", "--server", url]
    result = serinus(*base, *words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("attempt", ["nope", "../../v1/modes", "a b", "?"])
def test_unknown_attempt_is_told(url: str, attempt: str) -> None:
    """A wrong id is no crash, and no other path of the server."""
    decision = ("--outcome", "pass", "--for", "1h")
    result = serinus("override", attempt, *decision, *WHY, "--server", url)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_unknown_attempt_in_the_records_is_told(data: Path) -> None:
    """The same without a server."""
    decision = ("--outcome", "pass", "--for", "1h")
    result = serinus("override", "nope", *decision, *WHY, "--data", str(data))
    assert result.exit_code == 2
    assert "nope" in result.stderr


def test_glass_is_broken_by_one_command(url: str, door: Door) -> None:
    """At three in the morning: every answer is pass, what was judged is still shown."""
    result = serinus("mode", "shadow", "--all", "--for", "2h", *WHY, "--server", url)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("all services: shadow until 20")
    code, text = asked(url)
    assert code == 0
    assert "fail; mode shadow answers pass" in text
    shown = serinus("mode", "--server", url)
    assert shown.stdout == result.stdout


def test_glass_is_mended(url: str, door: Door) -> None:
    """`end` goes back to the policies at once."""
    serinus("mode", "shadow", "--all", "--for", "2h", *WHY, "--server", url)
    door.at(401)
    result = serinus("mode", "end", "--all", "--reason", "over", "--server", url)
    assert "back to the policies" in result.stdout
    assert asked(url)[0] == 1
    assert "no break-glass mode stands" in serinus("mode", "--server", url).stdout


def test_one_service_has_its_own_mode(url: str) -> None:
    """The others stay guarded."""
    serinus("mode", "pause", "--service", "other", *WHY, "--server", url)
    assert asked(url)[0] == 1
    serinus("mode", "pause", "--service", "checkout", *WHY, "--server", url)
    assert asked(url)[0] == 3


def test_glass_is_broken_without_a_server(data: Path) -> None:
    """The next answer of a server on the same records obeys."""
    result = serinus("mode", "shadow", "--all", "--for", "2h", *WHY, "--data", str(data))
    assert result.exit_code == 0, result.output
    opened = open_records(data)
    (standing,) = opened.gate.people.modes()
    (entry,) = opened.gate.people.audit()
    opened.close()
    assert (standing.mode, standing.service) == (Mode.SHADOW, None)
    assert entry.reason == WHY[1]
    assert serinus("mode", SERINUS_DATA=str(data)).stdout == result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["shadow"],
        ["shadow", "--all", "--service", "checkout", *WHY],
        ["shadow", *WHY],
        ["shadow", "--all"],
        ["shadow", "--all", "--for", "2 hours", *WHY],
        ["off", "--all", *WHY],
    ],
)
def test_half_a_decision_is_refused(data: Path, words: list[str]) -> None:
    """For whom, for how long and why are asked for; nothing is changed without them."""
    result = serinus("mode", *words, "--data", str(data))
    assert result.exit_code == 2
    assert "no break-glass mode stands" in serinus("mode", "--data", str(data)).stdout


def test_wrong_directory_is_not_made_into_a_store(tmp_path: Path) -> None:
    """A typing error would break the glass of nobody, and look as if it had."""
    place = tmp_path / "typo"
    result = serinus("mode", "shadow", "--all", *WHY, "--data", str(place))
    assert result.exit_code == 2
    assert str(place) in result.stderr
    assert not place.exists()


def test_login_without_a_name_has_to_give_one(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the user often has none; the audit log wants one."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "")
    result = serinus("mode", "shadow", "--all", *WHY, "--person", "ada", "--data", str(data))
    assert "(ada: INC-42" in result.stdout
