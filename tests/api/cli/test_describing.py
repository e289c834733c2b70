from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from api.bodies.answer import (
    ModeAnswer,
    ModesAnswer,
    OverrideAnswer,
    PoliciesAnswer,
    PolicyAnswer,
    RolloutAnswer,
    VerdictAnswer,
    VerdictsAnswer,
)
from api.bodies.decision import ModeBody, OverrideBody
from api.bodies.policy import PolicyBody
from api.bodies.verdict import VerdictBody
from api.cli.describing import description, text
from tests.api.cli.served import serinus
from tests.api.doors import passing_door
from tests.house.dockerfile import ROOT

FILE = ROOT / "docs" / "openapi.json"
METHODS = {"get", "put", "post", "delete", "patch"}
BODIES: dict[str, type[BaseModel]] = {
    kind.__name__: kind
    for kind in (
        ModeAnswer, ModesAnswer, OverrideAnswer, PoliciesAnswer, PolicyAnswer, RolloutAnswer,
        VerdictAnswer, VerdictsAnswer, ModeBody, OverrideBody, PolicyBody, VerdictBody,
    )
}  # fmt: skip


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each path and method with what is said of it."""
    for path, item in json.loads(FILE.read_text(encoding="utf-8"))["paths"].items():
        for method in sorted(METHODS & set(item)):  # workers must agree on the order of tests
            yield f"{method.upper()} {path}", item[method]


def test_checked_in_description_is_that_of_the_routes() -> None:
    """Whoever generates a client from the file gets one that works."""
    hint = "it is stale: serinus openapi --output docs/openapi.json"
    assert FILE.read_text(encoding="utf-8") == text(), hint


def test_command_writes_it(tmp_path: Path) -> None:
    """To a file, or to standard output."""
    target = tmp_path / "openapi.json"
    assert serinus("openapi", "--output", str(target)).exit_code == 0
    assert target.read_text(encoding="utf-8") == text()
    assert serinus("openapi").stdout == text()


def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the option to mend."""
    result = serinus("openapi", "--output", str(tmp_path / "no" / "file"))
    assert result.exit_code == 2
    assert "--output" in result.stderr


def test_release_does_not_change_it() -> None:
    """The version of the package is not in it."""
    assert description()["info"]["version"] == "1"


@pytest.mark.parametrize(
    ("name", "operation"), [pytest.param(*each, id=each[0]) for each in operations()]
)
def test_every_operation_says_what_it_is_for(name: str, operation: dict[str, Any]) -> None:
    """And what it answers."""
    assert operation["summary"], name
    assert set(operation["responses"]) - {"default"}, name


def test_questions_and_verdicts_have_an_example() -> None:
    """A person reads the example before the schema."""
    found = dict(operations())
    asked = found["POST /v1/verdicts"]["requestBody"]["content"]["application/json"]
    schemas = json.loads(FILE.read_text(encoding="utf-8"))["components"]["schemas"]
    assert asked.get("examples") or asked["schema"].get("examples")
    assert schemas["VerdictAnswer"]["examples"]


def test_example_question_is_answered() -> None:
    """What the document shows can be sent as it stands."""
    found = dict(operations())["POST /v1/verdicts"]["requestBody"]["content"]["application/json"]
    examples = found["schema"].get("examples") or list(found["examples"].values())
    door = passing_door()
    answers = [door.send("/v1/verdicts", example) for example in examples]
    assert answers
    assert {answer.status_code for answer in answers} == {200}


def test_examples_of_whole_bodies_are_valid() -> None:
    """An example that the schema refuses misleads."""
    schemas = json.loads(FILE.read_text(encoding="utf-8"))["components"]["schemas"]
    shown = [
        (BODIES[name], example)
        for name, schema in schemas.items()
        if name in BODIES
        for example in schema.get("examples", ())
    ]
    assert [kind.__name__ for kind, _ in shown]
    for kind, example in shown:
        kind.model_validate(example)


def test_examples_of_fields_are_valid() -> None:
    """Field by field: what is shown for one is taken."""
    shown = [
        (kind, name, example)
        for kind in BODIES.values()
        for name, field in kind.model_fields.items()
        for example in field.examples or ()
    ]
    assert len(shown) > 20
    wrong = [f"{kind.__name__}.{name}" for kind, name, e in shown if not takes(kind, name, e)]
    assert not wrong


def takes(kind: type[BaseModel], name: str, example: object) -> bool:
    """Whether a model makes no complaint about this field."""
    from pydantic import ValidationError

    told = kind.model_fields[name].alias or name
    try:
        kind.model_validate({told: example})
    except ValidationError as error:
        return not any(problem["loc"][:1] == (told,) for problem in error.errors())
    return True
