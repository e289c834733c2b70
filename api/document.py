"""The OpenAPI document: FastAPI's, with our problems in their own media type."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api.bodies.answer import EXAMPLE_VERDICT
from api.bodies.capacity import EXAMPLE_CAPACITY
from api.bodies.forecast import EXAMPLE_FORECAST
from api.problems import Problem

__all__ = ["Documented", "refusal"]

PLACE = "#/components/schemas/Problem"


def refusal(words: str) -> dict[str, Any]:
    """One kind of problem among the responses of an operation."""
    content = {"application/problem+json": {"schema": {"$ref": PLACE}}}
    return {"description": words, "content": content}


class Documented(FastAPI):
    """FastAPI documents models of errors as plain JSON, so we bring that of problems ourselves."""

    def openapi(self) -> dict[str, Any]:
        """Made once."""
        document = super().openapi()
        schemas = document["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema()
        # FastAPI leaves nulls out of examples; each key of ours is always sent, so it is shown.
        schemas["VerdictAnswer"]["examples"] = [EXAMPLE_VERDICT]
        schemas["CapacityAnswer"]["examples"] = [EXAMPLE_CAPACITY]
        schemas["ForecastAnswer"]["examples"] = [EXAMPLE_FORECAST]
        _forget_plain_errors(document)
        return document


def _forget_plain_errors(document: dict[str, Any]) -> None:
    """What FastAPI says of 422 where we say nothing: no answer of ours looks like that."""
    for path in document["paths"].values():
        for operation in path.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
