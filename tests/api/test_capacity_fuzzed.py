"""Whatever is asked of capacity is answered or refused, as documented."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.api.capable import capable

pytestmark = pytest.mark.slow


@lru_cache
def schema() -> Any:  # noqa: ANN401
    """The document of an app that has assessed capacity, as Schemathesis reads it."""
    import schemathesis

    return schemathesis.openapi.from_asgi("/openapi.json", capable().door.app)


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("path", ["/v1/capacity", "/v1/forecasts"])
def test_no_question_makes_a_server_error(path: str, mode: str) -> None:
    """Cursors, coverages, spans and queries of any kind."""
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    operation = schema()[path]["GET"]
    promises = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any) -> None:  # noqa: ANN401
        case.call_and_validate(checks=promises)

    holds()
