"""What was learned, in sentences and as settings."""

from __future__ import annotations

from collections.abc import Mapping

from detector.alerts.learning import RuleCut
from detector.changes.change import ChangeKind
from detector.incidents.learning import Kind, Relearned, Score

__all__ = ["advice_words", "cut_words", "kind_words", "score_words", "snippet"]

_MOVED = 0.1


def advice_words(found: Relearned) -> str:
    """Whether to apply it, and why."""
    if not found.spoken:
        return (
            "Nobody said of any incident what it was, and nobody decided over a verdict: "
            "there is nothing to learn from, and all stays as it is."
        )
    if not found.is_enough:
        return (
            f"Of {found.labelled} incidents is known what they came of: too few to say whether "
            "this is better. Leave it as it is."
        )
    loss = f"{found.gain:+.3f} for each incident, give or take {found.error:.3f}"
    if found.is_better:
        return f"The truth is likelier with it ({loss}, in natural logarithms): apply it."
    return f"It is not better beyond chance ({loss}, in natural logarithms): leave it as it is."


def kind_words(kind: Kind) -> str:
    """How often it breaks something, and by what that is known.

    >>> from detector.incidents.labels import Tally
    >>> kind_words(Kind(kind=ChangeKind.FLAG, default=0.03, before=0.03, after=0.1, low=0.06,
    ...     high=0.15, tally=Tally(bad=10, good=90)))
    'flag: 3 % → 10 % (90 % between 6 % and 15 %); 10 known as bad, 90 as good'
    """
    tally = kind.tally
    known = f"{tally.bad} known as bad, {tally.good} as good"
    unsure = f", {tally.unsure} suspected and never said" if tally.unsure else ""
    if abs(kind.after - kind.before) <= _MOVED * kind.before:
        return f"{kind.kind}: stays at {_percent(kind.before)}; {known}{unsure}"
    between = f"90 % between {_percent(kind.low)} and {_percent(kind.high)}"
    moved = f"{_percent(kind.before)} → {_percent(kind.after)}"
    return f"{kind.kind}: {moved} ({between}); {known}{unsure}"


def score_words(score: Score) -> str:
    """How past incidents rank."""
    guilty = f"of {score.guilty} that came of a change it is first in {score.first}"
    alone = f"of {score.alone} that came of none {score.unblamed} are not blamed"
    return f"{guilty} and in the first three in {score.top3}; {alone}; loss {score.loss:.3f}"


def cut_words(cut: RuleCut) -> str:
    """What a rule had better do, and whether that held on what came later."""
    rule = cut.route or "all that no other rule takes"
    spared = cut.before.wrong - cut.after.wrong
    hidden = cut.before.right - cut.after.right
    later = f"later it would have spared {spared} that were no incident and hidden {hidden}"
    advice = f"set severity: {cut.least}" if cut.is_better else "leave it"
    return f"Rule {rule} to {cut.receiver}: below {cut.least} hardly any was one; {later}: {advice}"


def snippet(priors: Mapping[ChangeKind, float]) -> str:
    """The same for the configuration, as YAML.

    >>> print(snippet({ChangeKind.FLAG: 0.1}), end="")
    incidents:
      bad:
        flag: 0.1
    """
    if not priors:
        return "incidents:\n  bad: {}\n"
    lines = [f"    {kind}: {share:g}" for kind, share in sorted(priors.items())]
    return "\n".join(["incidents:", "  bad:", *lines, ""])


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
