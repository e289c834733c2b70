"""Models of many services: in chunks, gone on with after a stop, each stored once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from detector.fitted.model import FittedModel
from detector.fitted.ports import FittedStore
from detector.gate.aa import Scope
from detector.gate.request import VerdictRequest
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import opened
from pipelines.flows.fit import Fitting, Order, fit_service, scope_of
from pipelines.flows.fleet import Given, Pace, Progress, Task, over_fleet
from pipelines.flows.fleet_kept import Kept, name_of
from pipelines.flows.lanes import Lanes, Places
from pipelines.stores.codec import pack, unpack
from pipelines.version import code_version

__all__ = ["FitTask", "FitWork", "Unfitted", "fit_services", "fit_task", "stored", "unfitted"]

# A service waits for its source longer than it computes, which the length of a chunk does not see.
_PACE = Pace(page=50, most=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfitted:
    """A service that has no new model, and why."""

    scope: Scope
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FitWork:
    """The model of a service on its past up to `now`, unix seconds; read wherever it is fitted."""

    opening: Callable[[], Past]
    fitting: Fitting
    now: float

    def __call__(self, order: Order) -> bytes:
        """Errors as of `fit_service`."""
        return pack(fit_service(order, opened(self.opening), self.fitting, now=self.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class FitTask:
    """Services by the names under which their models are kept, and the work on them."""

    scopes: dict[str, Scope]
    work: Task[Order]


def fit_task(
    requests: Sequence[VerdictRequest],
    current: Callable[[Scope], FittedModel | None],
    work: FitWork,
    said: tuple[str, ...],
) -> FitTask:
    """Models of services, each against its `current` one, which is asked for page by page.

    `said` tells the source from all others. A service that is named twice is fitted once.
    """
    asked = {_name(scope_of(request)): request for request in requests}

    def load(page: Sequence[str]) -> Sequence[Given[Order]]:
        return [Given(name, _order(asked[name], current)) for name in page]

    name = name_of("fit", code_version(), said, work.fitting, work.now)
    task = Task(name=name, series=list(asked), load=load, work=work)
    return FitTask(scopes={name: scope_of(one) for name, one in asked.items()}, work=task)


def fit_services(
    task: FitTask, places: Places | Lanes, kept: Kept, keep: Callable[[FittedModel], None]
) -> Iterator[Progress]:
    """Fit each service that is not finished, and tell how far.

    Each model is given to `keep` as soon as it is there, and first those of an earlier run, which
    may have been stopped in between. A service that fails keeps no other.
    """
    for told in over_fleet(task.work, places, kept, _PACE):
        for _, made in kept.results(task.work.name, told.came):
            keep(unpack(FittedModel, made))
        yield told


def unfitted(task: FitTask, kept: Kept) -> Iterator[Unfitted]:
    """The services that have no model, by name."""
    for name, trouble in kept.troubles(task.work.name):
        if name in task.scopes:
            yield Unfitted(scope=task.scopes[name], why=trouble.text)


def stored(store: FittedStore, model: FittedModel) -> FittedModel:
    """Keep a model as the next version, once; without a version where a newer one is there."""
    newest = next(iter(store.versions(model.scope, limit=1)), None)
    if newest is None or newest.at < model.at:
        return store.save(model)
    return newest if newest.at == model.at else model


def _order(request: VerdictRequest, current: Callable[[Scope], FittedModel | None]) -> Order:
    return Order(request=request, current=current(scope_of(request)))


def _name(scope: Scope) -> str:
    return "/".join(part or "-" for part in (scope.cluster, scope.namespace, scope.service))
