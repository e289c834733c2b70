"""A site that was told of scans: revisions that are held and not, names that are markup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from detector.gate.policy import Policy
from detector.scans.rule import ScanRule
from detector.scans.scan import Finding, Scan, Severity
from tests.api.ui.scenes import T0, Shop
from tests.api.ui.site import Site

__all__ = ["EVIL", "HOUR_MS", "NOW_MS", "SCAN", "scanned", "strict"]

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e'
HOUR_MS = 3_600_000
NOW_MS = round(1000 * T0)
REPORTS = Path(__file__).parents[2] / "pipelines/scans/reports"
SCAN = Scan(
    id="scn_1",
    service="cart",
    revision="v7",
    tool="Grype",
    target="shop/cart:v7",
    at=NOW_MS - HOUR_MS,
    made_at=NOW_MS - HOUR_MS,
    counts=dict.fromkeys(Severity, 0),
)


def strict(site: Site) -> None:
    """A policy allows no critical finding and wants a scan; another is milder."""
    rule = ScanRule(critical=0, require=True)
    for name, one in (("strict", rule), ("mild", ScanRule(critical=5)), ("blind", None)):
        site.shop.gate.people.save_policy(Policy(name=name, scans=one), person="ada")


@contextmanager
def scanned(folder: Path) -> Iterator[Site]:
    """Many clean revisions of the cart, and one of the checkout that two tools looked at."""
    site = Site(Shop(minutes=2))
    gate, store, clock = site.shop.gate, site.shop.stores.scans, site.shop.clock
    for number in range(40):
        scan = replace(SCAN, id=f"scn_{number:03}", revision=f"v{number}", target=f"cart:{number}")
        store.add("default", replace(scan, at=scan.at - number * HOUR_MS))
    clock.at = T0 - 600
    gate.scans.take("default", (REPORTS / "trivy.json").read_bytes(), service="checkout",
                    revision="v42")  # fmt: skip
    gate.scans.take("default", (REPORTS / "sarif.json").read_bytes(), service="checkout",
                    revision="v42")  # fmt: skip
    clock.at = T0
    evil = Finding(
        severity=Severity.LOW, rule=EVIL, title=EVIL, package=EVIL, fixed=EVIL, location=EVIL
    )
    odd = replace(
        SCAN, id="scn_odd", service=EVIL, revision=EVIL, tool=EVIL, target=EVIL, at=NOW_MS,
        counts={Severity.LOW: 70}, findings=(evil,),
    )  # fmt: skip
    store.add("default", odd)
    strict(site)
    yield site
