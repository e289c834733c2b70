"""`serinus override` and `serinus mode`: what people decide, by a server or on its records."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from api.cli.doors import desk, filled, server_of, server_url
from api.cli.guard import CouldNotAskError
from detector.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from api.cli.server import Server
    from pipelines.flows.gate import Gate

__all__ = ["mode", "modes", "override"]

T = TypeVar("T")


class _Override(msgspec.Struct):
    attempt: str
    outcome: str
    person: str
    reason: str
    until: str


class _Mode(msgspec.Struct):
    service: str | None
    mode: str | None
    person: str
    reason: str
    until: str


class _Modes(msgspec.Struct):
    modes: list[_Mode]


def override(
    attempt: str,
    decision: Mapping[str, object | None],
    *,
    server: str | None,
    data: Path | None,
) -> int:
    """Decide for an attempt, and say what stands now."""
    from api.bodies.decision import OverrideBody, override_body

    body = filled(OverrideBody, _signed(decision))

    def sent(place: Server) -> bytes:
        return place.post(f"/v1/rollouts/{_quoted(attempt)}/overrides", _json(body))

    def made(gate: Gate) -> object:
        decided = gate.people.override(
            attempt,
            outcome=body.outcome,
            person=body.person or "",
            reason=body.reason or "",
            for_s=body.for_s,
        )
        return override_body(decided)

    told = _read(_answer(server, data, sent, made), _Override)
    print(f"{told.outcome} for attempt {told.attempt}, until {told.until}")
    print(f"decided by {told.person}: {told.reason}")
    return 0


def mode(decision: Mapping[str, object | None], *, server: str | None, data: Path | None) -> int:
    """Set or end a break-glass mode, and say what stands now."""
    from api.bodies.decision import ModeBody, mode_body

    body = filled(ModeBody, _signed(decision))
    if body.all == (body.service is not None):
        raise InputError("give either --service NAME or --all", field="service")

    def sent(place: Server) -> bytes:
        return place.post("/v1/modes", _json(body))

    def made(gate: Gate) -> object:
        change = gate.people.set_mode(
            body.mode,
            person=body.person or "",
            reason=body.reason or "",
            for_s=body.for_s,
            service=body.service,
        )
        return mode_body(change)

    print(_line(_read(_answer(server, data, sent, made), _Mode)))
    return 0


def modes(*, server: str | None, data: Path | None) -> int:
    """Say which break-glass modes stand."""
    from api.bodies.decision import mode_body

    def looked(gate: Gate) -> object:
        return {"modes": [mode_body(change) for change in gate.people.modes()]}

    answer = _answer(server, data, lambda place: place.get("/v1/modes"), looked)
    found = _read(answer, _Modes).modes
    for one in found:
        print(_line(one))
    if not found:
        print("no break-glass mode stands; each policy's own mode holds")
    return 0


def _answer(
    server: str | None,
    data: Path | None,
    ask: Callable[[Server], bytes],
    do: Callable[[Gate], object],
) -> bytes:
    """What a running serinus answers, or the same from its records."""
    url = server_url(server, data)
    if url is not None:
        with server_of(url) as place:
            return ask(place)
    with desk(data) as gate:
        return msgspec.json.encode(do(gate))


def _json(body: BaseModel) -> object:
    return body.model_dump(mode="json", by_alias=True)


def _line(told: _Mode) -> str:
    where = told.service or "all services"
    if told.mode is None:
        return f"{where}: back to the policies' own modes ({told.person}: {told.reason})"
    return f"{where}: {told.mode} until {told.until} ({told.person}: {told.reason})"


def _read(answer: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.DecodeError as error:
        raise CouldNotAskError(f"the answer is none of serinus: {error}") from error


def _quoted(attempt: str) -> str:
    from urllib.parse import quote

    return quote(attempt, safe="")


def _signed(decision: Mapping[str, object | None]) -> dict[str, object | None]:
    """With the name of the login where none was given."""
    return {**decision, "person": decision.get("person") or _login()}


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        text = "this login has no name: say who decides"
        raise InputError(text, field="person") from error
