"""The configuration of traces: where a person looks one up."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from api.section import Section

__all__ = ["TRACE_ID", "TracesSection"]

TRACE_ID = "{trace_id}"


def _leading(url: str) -> str:
    if TRACE_ID not in url:
        raise ValueError(f"has to say where the trace's id goes: {TRACE_ID}")
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ValueError("has to begin with http:// or https:// and a host")
    if TRACE_ID in found.netloc or not url.isprintable() or " " in url:
        raise ValueError(f"may have {TRACE_ID} behind its host only, and nothing that is unseen")
    return url


class TracesSection(Section):
    """`url` is that of a trace in your tracing backend, with `{trace_id}` in it."""

    url: Annotated[str, Field(max_length=2_000), AfterValidator(_leading)] | None = None

    def link(self, trace: str) -> str | None:
        """Where a trace is looked up, by its id in hexadecimal."""
        return None if self.url is None else self.url.replace(TRACE_ID, trace)
