"""Names as proxies write them: which of their services, backends or clusters is whose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.discovery.arms import Side
from detector.discovery.matching import Labels, any_of, equal, fits, literal, values_of
from detector.patterns import compiled
from detector.series import Matcher, MatchOp
from detector.signals.packs import Pack
from detector.signals.signal import Unit

__all__ = ["by_name", "by_role", "is_plain", "namespaces_of", "spelled", "unspelled", "where_named"]

# What controllers and people put behind a service's name for one side of it.
_ROLES = ("canary", "preview", "primary", "stable", "active", "blue", "green")
_NEW = ("canary", "preview")
_ROLE = f"(-({'|'.join(_ROLES)}))?"
_ANY = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
# Labels by which people name a service, backend or workload.
_CALLED = frozenset(
    {
        "service", "exported_service", "backend", "upstream", "ingress", "exported_ingress",
        "canary", "proxy", "name", "workload", "deployment", "app", "destination_workload",
        "destination_service_name", "envoy_cluster_name",
    }
)  # fmt: skip


def spelled(pattern: str, service: str, namespace: str | None, *, roles: bool = True) -> str:
    """RE2 text of a service's names, in any namespace if none is told, with its roles if asked.

    >>> spelled("<namespace>_<service>_[0-9]+", "web", "shop", roles=False)
    'shop_web_[0-9]+'
    """
    named = literal(service) + (_ROLE if roles else "")
    where = literal(namespace) if namespace else _ANY
    return pattern.replace("<service>", named).replace("<namespace>", where)


def unspelled(pattern: str, value: str) -> str:
    """The service of a name in a proxy's spelling, its role left out; else the name as it stands.

    >>> unspelled("<namespace>_<service>_[0-9]+", "shop_web-canary_80")
    'web'
    """
    short = "[a-z0-9]([-a-z0-9]*?[a-z0-9])??"
    read = pattern.replace("<namespace>", short).replace("<service>", f"(?P<own>{short}){_ROLE}", 1)
    found = compiled(read.replace("<service>", _ANY)).fullmatch(value)
    return value if found is None else str(found.group("own"))


def is_plain(service: str) -> bool:
    """Whether this may be a service's own name, and not one in a proxy's spelling already.

    >>> is_plain("checkout"), is_plain("shop_checkout_80")
    (True, False)
    """
    return compiled(_ANY).fullmatch(service) is not None


def namespaces_of(pattern: str, service: str, values: Sequence[str]) -> frozenset[str]:
    """The namespaces that a service's names tell, empty where they tell none."""
    if "<namespace>" not in pattern:
        return frozenset()
    named = pattern.replace("<service>", literal(service) + _ROLE)
    read = compiled(named.replace("<namespace>", f"(?P<namespace>{_ANY})", 1))
    found = (read.fullmatch(value) for value in values)
    return frozenset(match.group("namespace") or "" for match in found if match) - {""}


def by_name(
    asked: Sequence[Matcher],
    service: str,
    series: Sequence[Labels],
    pack: Pack,
    namespace: str | None,
    *,
    is_canary: bool = False,
) -> Side | None:
    """An arm whose selector has a plain name where the series have it in the proxy's spelling.

    None where the series do not have it, or have it in several namespaces, and where they are of
    pods, whose labels say what they mean. A canary is never what bears the service's bare name:
    Flagger's canary Deployment does, while the Service of that name leads to the stable pods.
    """
    if pack.unit is Unit.POD or (is_canary and any(m.value == service for m in asked)):
        return None
    matchers: list[Matcher] = []
    for matcher in asked:
        read = _read(matcher, series, pack, namespace)
        matchers.append(read or matcher)
    if tuple(matchers) == tuple(asked):
        return None
    found = tuple(labels for labels in series if fits(matchers, labels))
    if len(where_named(service, found, pack)) > 1:
        return None
    told = ", ".join(f"{m.label}={m.value!r}" for m in matchers if m not in asked)
    how = f"by the proxy's name for it, {told}"
    return Side(matchers=tuple(matchers), series=found, how=how) if found else None


def _read(
    matcher: Matcher, series: Sequence[Labels], pack: Pack, namespace: str | None
) -> Matcher | None:
    """What a plain name is in the proxy's words, None for what is no name or found as it is."""
    if matcher.op is not MatchOp.EQUAL or matcher.label not in _CALLED:
        return None
    if matcher.value in values_of(matcher.label, series):
        return None
    return next(_named(matcher.value, series, pack, namespace), None)


def _named(
    name: str, series: Sequence[Labels], pack: Pack, namespace: str | None
) -> Iterator[Matcher]:
    """A name by each label that has it, among the proxy's own and as it is."""
    for label, pattern in pack.spelled.items():
        own = Matcher(label, MatchOp.MATCHES, spelled(pattern, name, namespace, roles=False))
        values = [v for v in values_of(label, series) if fits((own,), {label: v})]
        if values:
            yield any_of(label, values)
    for label in pack.services:
        if name in values_of(label, series):
            yield equal(label, name)


def by_role(
    service: str, series: Sequence[Labels], pack: Pack, namespace: str | None
) -> Side | None:
    """The canary by its usual name, for selectors that speak of pods to series that have none."""
    for role in _NEW:
        name = f"{service}-{role}"
        matcher = next(_named(name, series, pack, namespace), None)
        if matcher is None:
            continue
        found = tuple(labels for labels in series if fits((matcher,), labels))
        if len(where_named(service, found, pack)) <= 1:
            how = f"by the name {name}, since the series of a {pack.unit} name no pods of it"
            return Side(matchers=(matcher,), series=found, how=how, is_by_role=True)
    return None


def where_named(service: str, series: Sequence[Labels], pack: Pack) -> frozenset[str]:
    """The namespaces that the names of a service tell in some series."""
    found: set[str] = set()
    for label, pattern in pack.spelled.items():
        found |= namespaces_of(pattern, service, [*values_of(label, series)])
    return frozenset(found)
