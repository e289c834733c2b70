"""`serinus replay`: the same verdict, computed again from what it was made from."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from api.cli.doors import desk, server_of, server_url
from api.cli.guard import Code
from detector.errors import ConfigError

__all__ = ["replay"]


def replay(
    target: str,
    *,
    server: str | None,
    data: Path | None,
    export: Path | None,
    as_json: bool,
) -> int:
    """Replay a verdict by id or from an evidence file; 0 when the answer is identical."""
    file = _evidence(target, server, data)
    if export is not None:
        _write(export, file)
    return _replayed(file, as_json=as_json)


def _evidence(target: str, server: str | None, data: Path | None) -> bytes:
    path = Path(target)
    if path.is_file():
        return path.read_bytes()
    if path.suffix or len(path.parts) > 1:
        raise ConfigError(
            f"there is no file {target}; give the id of a verdict or an evidence file"
        )
    url = server_url(server, data)
    if url is None:
        with desk(data) as gate:
            return gate.records.export(target)
    from urllib.parse import quote

    with server_of(url) as place:
        return place.get(f"/v1/verdicts/{quote(target, safe='')}/evidence")


def _write(path: Path, file: bytes) -> None:
    try:
        path.write_bytes(file)
    except OSError as error:
        raise ConfigError(f"--export: cannot write {path}: {error.strerror}") from error
    print(f"evidence written to {path}", file=sys.stderr)


def _replayed(file: bytes, *, as_json: bool) -> int:
    from api.compose import open_replayer
    from detector.gate.render import verdict_body
    from detector.gate.version import ENGINE
    from pipelines.flows.evidence import unpack_evidence

    given = msgspec.json.encode(verdict_body(unpack_evidence(file).stored.verdict, brief=False))
    again = msgspec.json.encode(
        verdict_body(open_replayer().records.replay_file(file), brief=False)
    )
    if as_json:
        print(again.decode())
    else:
        _show(again)
    if again == given:
        print("identical to the answer that was given", file=sys.stderr)
        return Code.PASS
    engine = unpack_evidence(file).stored.verdict.engine
    older = "" if engine == ENGINE else f"; it was made by engine {engine}, this is {ENGINE}"
    print(f"serinus: not the answer that was given{older}. That was:", file=sys.stderr)
    print(given.decode(), file=sys.stderr)
    return Code.FAIL


def _show(body: bytes) -> None:
    from api.cli.report import Place, report_of, show
    from api.cli.told import told_of

    show(report_of(told_of(body), Place()))
