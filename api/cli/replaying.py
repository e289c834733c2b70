"""`serinus replay`: the same verdict, computed again from what it was made from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from api.cli.exporting import evidence_of, written
from api.cli.guard import Code

if TYPE_CHECKING:
    from detector.gate.compare import Moved
    from pipelines.flows.evidence import Evidence

__all__ = ["replay"]

_SHOWN, _WIDTH = 20, 60


def replay(
    target: str,
    *,
    server: str | None,
    data: Path | None,
    export: Path | None,
    as_json: bool,
) -> int:
    """Replay a verdict by id or from an evidence file; 0 when the answer is identical."""
    file = evidence_of(target, server, data)
    if export is not None:
        written(export, file, option="--export")
    return _replayed(file, as_json=as_json)


def _replayed(file: bytes, *, as_json: bool) -> int:
    from api.compose import open_replayer
    from detector.gate.compare import moved
    from detector.gate.render import verdict_body
    from pipelines.flows.evidence import unpack_evidence

    evidence = unpack_evidence(file)
    again = msgspec.json.encode(
        verdict_body(open_replayer().records.replayed(evidence), brief=False)
    )
    if as_json:
        print(again.decode())
    else:
        _show(again)
    given = msgspec.json.encode(evidence.given)
    if again == given:
        print("identical to the answer that was given", file=sys.stderr)
        return Code.PASS
    _tell(evidence, moved(msgspec.json.decode(given), msgspec.json.decode(again)))
    return Code.FAIL


def _show(body: bytes) -> None:
    from api.cli.report import Place, report_of, show
    from api.cli.told import told_of

    show(report_of(told_of(body), Place(is_past=True)))


def _tell(evidence: Evidence, found: Sequence[Moved]) -> None:
    """What differs, and whose code may be why."""
    from detector.gate.version import ENGINE
    from pipelines.version import code_version, serinus_version

    made, here = evidence.stored.verdict.engine, serinus_version()
    written_by = evidence.serinus or "unknown"
    lines = [
        f"serinus: not the answer that was given: {len(found)} of its fields differ",
        f"  made by engine {made}, serinus {written_by}, code {evidence.code or 'unknown'}",
        f"  computed by engine {ENGINE}, serinus {here}, code {code_version()}",
    ]
    if evidence.code == code_version():
        lines.append("  the code is the same, so the record was changed, or this is a bug of ours")
    elif any(m.field == "policy" for m in found):
        lines.append(
            "  the policy's digest covers its new keys, too; what it said is in policy.json"
        )
    lines += [f"  {_cut(m.field)}: {_cut(m.before)} -> {_cut(m.after)}" for m in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"  ... and {len(found) - _SHOWN} more")
    print("\n".join(lines), file=sys.stderr)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
