"""`/rollouts`: server-rendered pages; the charts need JavaScript, the facts do not."""

from __future__ import annotations

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
