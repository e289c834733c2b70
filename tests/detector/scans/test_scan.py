"""Scans: which findings are kept, which scan of a tool counts, when two are the same."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.scans.scan import FINDINGS_MAX, Finding, Scan, Severity, gravest, newest, scan_id

DAY_MS = 86_400_000
WORDS = st.text("abc", max_size=2)
FINDINGS = st.builds(
    Finding, severity=st.sampled_from(Severity), rule=WORDS, package=WORDS, fixed=WORDS
)


def scan(tool: str = "Trivy", target: str = "", at: int = 1) -> Scan:
    """Without a finding."""
    return Scan(
        id=f"{tool}/{target}/{at}", service="checkout", revision="v42", tool=tool, target=target,
        at=at, made_at=at, counts={},
    )  # fmt: skip


@given(st.lists(FINDINGS, max_size=120))
def test_nothing_graver_is_left_out(findings: list[Finding]) -> None:
    """Whoever reads the first lines reads the worst."""
    kept = gravest(findings)
    order = list(Severity)
    left = set(findings) - set(kept)
    assert len(kept) == min(FINDINGS_MAX, len(set(findings)))
    ranks = [order.index(one.severity) for one in kept]
    assert ranks == sorted(ranks)
    assert all(order.index(one.severity) >= ranks[-1] for one in left)


@given(st.lists(FINDINGS, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_a_report_does_not_matter(findings: list[Finding], random: object) -> None:
    """Tools that run in parallel write in any order."""
    mixed = list(findings)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert gravest(mixed) == gravest(findings)


def test_what_can_be_mended_comes_first() -> None:
    """It is what a person can do something about."""
    open_ = Finding(severity=Severity.HIGH, rule="a")
    mended = replace(open_, rule="b", fixed="3.0.2")
    assert gravest([open_, mended]) == (mended, open_)


def test_the_last_scan_of_each_tool_and_target_counts() -> None:
    """A newer one of the image says nothing of what another tool found in the code."""
    scans = [scan(at=2), scan(at=1), scan(tool="Semgrep"), scan(target="worker")]
    assert newest(scans) == (scan(tool="Semgrep"), scan(at=2), scan(target="worker"))
    assert newest([]) == ()


def test_the_same_report_on_one_day_is_one_scan() -> None:
    """A pipeline that is run again tells nothing new; the nightly scan of tomorrow does."""
    first = scan_id("checkout", "v42", "{}", 5 * DAY_MS)
    assert scan_id("checkout", "v42", "{}", 6 * DAY_MS - 1) == first
    others = {
        scan_id("checkout", "v42", "{}", 6 * DAY_MS),
        scan_id("checkout", "v43", "{}", 5 * DAY_MS),
        scan_id("cart", "v42", "{}", 5 * DAY_MS),
        scan_id("checkout", "v42", "{ }", 5 * DAY_MS),
    }
    assert len(others | {first}) == 5
