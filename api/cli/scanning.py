"""What `serinus scan` sends, and what it shows of the answer."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from api.cli.changing import address_of, read
from api.cli.doors import server_of
from detector.errors import InputError
from detector.logs.plain import plain

__all__ = ["tell"]

# As much as the server takes.
_REPORT_MAX = 32 * 2**20
_SHOWN = 5


class _Finding(msgspec.Struct):
    severity: str
    rule: str
    title: str | None
    package: str | None
    fixed: str | None


class _Scan(msgspec.Struct):
    id: str
    tool: str
    counts: dict[str, int]
    findings: list[_Finding]


class _Taken(msgspec.Struct):
    scans: list[_Scan]
    kept: list[str]


def tell(
    report: Path,
    *,
    service: str,
    revision: str,
    server: str | None,
    tenant: str | None,
    as_json: bool,
) -> int:
    """Send a report, and print how many findings it has."""
    asked = urlencode({"service": service, "revision": revision})
    body = msgspec.Raw(_content(report))
    with server_of(address_of(server), tenant=tenant) as place:
        answer = place.post(f"/v1/scans?{asked}", body)
    if as_json:
        print(msgspec.json.format(answer).decode())
        return 0
    taken = read(answer, _Taken)
    for scan in taken.scans:
        print("\n".join(_lines(scan, is_new=scan.id in taken.kept)))
    return 0


def _content(report: Path) -> bytes:
    """Of a file or the standard input, no more of it than is sent."""
    try:
        if str(report) == "-":
            body = sys.stdin.buffer.read(_REPORT_MAX + 1)
        else:
            with report.open("rb") as file:
                body = file.read(_REPORT_MAX + 1)
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise InputError(f"{report}: {why}", field="report") from error
    if not body.strip():
        raise InputError(f"{report} is empty", field="report")
    if len(body) > _REPORT_MAX:
        raise InputError(f"{report} is above {_REPORT_MAX >> 20} MiB", field="report")
    return body


def _lines(scan: _Scan, *, is_new: bool) -> list[str]:
    told = ", ".join(f"{count:,} {severity}" for severity, count in scan.counts.items() if count)
    kept = f"kept as {scan.id}" if is_new else "told before"
    return [
        f"{plain(scan.tool)}: {told or 'nothing found'}; {kept}",
        *map(_line, scan.findings[:5]),
    ]


def _line(one: _Finding) -> str:
    fixed = one.fixed and f"fixed in {one.fixed}"
    words = (one.severity, one.rule, one.package, one.title, fixed)
    return "  " + "  ".join(plain(word) for word in words if word)
