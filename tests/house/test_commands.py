from __future__ import annotations

from tests.docs.command_line import problems
from tests.house.dockerfile import json_form, read


def test_image_starts_with_options_that_exist() -> None:
    """An image with a misspelt option would restart for ever."""
    (arguments,) = (json_form(i.text) for i in read() if i.word == "CMD")
    assert list(problems(arguments)) == []


def test_demo_has_the_options_that_make_passes() -> None:
    """`make demo ONCE=1 PROMETHEUS=1 FAULT=errors` is not refused."""
    assert list(problems(["demo", "--once", "--prometheus", "--fault", "errors"])) == []


def test_ci_asks_for_commands_that_exist() -> None:
    """What .ci/run does with the installed wheel."""
    assert list(problems(["check", "--help"])) == []
    assert list(problems(["version"])) == []
