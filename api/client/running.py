"""A running serinus, asked from Python: answers come as DataFrames."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from api.cli.logs_run import LOCAL
from api.cli.server import TIMEOUT_S, Server
from api.client.asking import (
    Moment,
    Word,
    cursor_of,
    named,
    object_of,
    query_of,
    rows_of,
    sent,
    span_of,
)
from api.client.columns import (
    ANOMALIES,
    CAPACITY,
    CHANGES,
    INCIDENTS,
    SUSPECTS,
    VERDICTS,
    Column,
    frame_of,
)
from api.client.foretold import foretold
from api.client.verdict import Verdict
from detector.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST_ROWS", "Client"]

# Rows that one call gives at most: some hundred megabytes of answers.
MOST_ROWS = 100_000
_ROWS = 1000
_PAGE = 200
_LONGEST_S = 600.0


class Client:
    """A running serinus at a URL.

    Without `url` it is that of `SERINUS_SERVER`, else the one on this machine; without `token` that
    of `SERINUS_TOKEN`. `tenant` is whose streams are meant. No call takes longer than `timeout_s`.

    Calls raise `InputError` (`field` names what to mend), `NotFoundError`, `ConfigError` where the
    token is not taken, and `CouldNotAskError` where there is no answer: asking again may help. For
    one thread at a time.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        tenant: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not 0 < timeout_s <= _LONGEST_S:
            words = f"timeout_s: {timeout_s} is not between 0 and {_LONGEST_S:g}"
            raise InputError(words, field="timeout_s")
        where = url or os.environ.get("SERINUS_SERVER") or LOCAL
        try:
            self._server = Server(where, token=token, tenant=tenant, timeout_s=timeout_s)
        except ConfigError as error:
            words = str(error).removeprefix("--server: ")
            raise InputError(f"url: {words}", field="url") from error

    @property
    def url(self) -> str:
        """Where it is."""
        return self._server.url

    def close(self) -> None:
        """Let the connection go."""
        self._server.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def ask(
        self,
        service: str,
        canary: str,
        *,
        policy: str | Mapping[str, object] | None = None,
        **more: str | float | datetime | Sequence[str] | None,
    ) -> Verdict:
        """Is this canary safe to go on?

        `canary` is a PromQL selector; `policy` a name, or a policy itself. `more` are the other
        fields of a question: `control`, `namespace`, `cluster`, `clusters`, `rollout`, `revision`,
        `attempt`, `started_at`, `deadline`, `as_of`, `weight`, `stage`.
        """
        told = {name: sent(value, name) for name, value in more.items()}
        body = {"service": service, "canary": canary, "policy": policy, **told}
        asked = {name: value for name, value in body.items() if value is not None}
        return Verdict(object_of(self._server.post("/v1/verdicts", asked)))

    def verdict(self, id: str) -> Verdict:
        """One verdict as it was given, with its signals."""
        return Verdict(self._one("/v1/verdicts", id))

    def verdicts(
        self,
        *,
        service: str | None = None,
        rollout: str | None = None,
        outcome: str | None = None,
        since: Moment = None,
        until: Moment = None,
        limit: int = _ROWS,
    ) -> pd.DataFrame:
        """Verdicts, the newest first: at most `limit`, over as many pages as that takes."""
        asked = {"service": service, "rollout": rollout, "outcome": outcome}
        times = span_of(since, until)
        return self._listed("/v1/verdicts", "verdicts", {**asked, **times}, limit, VERDICTS)

    def timeline(self, attempt: str, *, limit: int = _ROWS) -> pd.DataFrame:
        """What was answered in one try of a rollout, the oldest first."""
        path = f"/v1/rollouts/{named(attempt, 'attempt')}"
        found = self._listed(path, "timeline", {}, limit, VERDICTS)
        turned = found.iloc[::-1].reset_index(drop=True)
        turned.attrs = found.attrs
        return turned

    def anomalies(
        self,
        *,
        service: str | None = None,
        metric: str | None = None,
        severity: str | None = None,
        lasting: bool | None = None,
        since: Moment = None,
        until: Moment = None,
        limit: int = _ROWS,
    ) -> pd.DataFrame:
        """Anomalies, the newest first; `severity` is the least that is wanted."""
        asked = {"service": service, "metric": metric, "severity": severity, "lasting": lasting}
        times = span_of(since, until)
        return self._listed("/v1/anomalies", "anomalies", {**asked, **times}, limit, ANOMALIES)

    def incidents(
        self,
        *,
        service: str | None = None,
        severity: str | None = None,
        lasting: bool | None = None,
        merged: bool | None = None,
        since: Moment = None,
        until: Moment = None,
        limit: int = _ROWS,
    ) -> pd.DataFrame:
        """Incidents, the newest first; `merged` has those too that went into others."""
        asked = {"service": service, "severity": severity, "lasting": lasting, "merged": merged}
        times = span_of(since, until)
        return self._listed("/v1/incidents", "incidents", {**asked, **times}, limit, INCIDENTS)

    def suspects(self, incident: str) -> pd.DataFrame:
        """The changes that an incident may come of, the likeliest first."""
        return frame_of(rows_of(self._one("/v1/incidents", incident), "suspects"), SUSPECTS)

    def changes(
        self,
        *,
        service: str | None = None,
        anywhere: bool | None = None,
        kind: str | None = None,
        since: Moment = None,
        until: Moment = None,
        limit: int = _ROWS,
    ) -> pd.DataFrame:
        """Changes, the newest first; `anywhere` has those too that name no service."""
        asked = {"service": service, "anywhere": anywhere, "kind": kind}
        times = span_of(since, until)
        return self._listed("/v1/changes", "changes", {**asked, **times}, limit, CHANGES)

    def capacity(
        self,
        *,
        service: str | None = None,
        team: str | None = None,
        namespace: str | None = None,
        kind: str | None = None,
        within_days: int | None = None,
        limit: int = _ROWS,
    ) -> pd.DataFrame:
        """Resources, the most urgent first, as they were last assessed.

        `within_days` has only those that run out by then, by their P50. `attrs` have the `summary`
        of all, `made_at`, and the `problem` where there is no assessment yet, or none newer.
        """
        asked = {"service": service, "team": team, "namespace": namespace, "kind": kind}
        within = None if within_days is None else str(within_days)
        return self._listed(
            "/v1/capacity",
            "resources",
            {**asked, "within_days": within},
            limit,
            CAPACITY,
            told=("summary", "made_at", "problem"),
        )

    def forecast(  # noqa: PLR0913 - it is asked for by that many words
        self,
        *,
        query: str | None = None,
        service: str | None = None,
        namespace: str | None = None,
        signal: str | None = None,
        resource: str | None = None,
        horizon_days: int = 14,
        history_days: int = 56,
        how: str = "mean",
        coverage: float = 0.9,
    ) -> pd.DataFrame:
        """What a PromQL query, a `signal` of a service or a `resource` will be, as `forecast` does.

        A resource is told by its `id` in `capacity`, by days and between P10 and P90, whatever
        `coverage` is. `InputError` where nothing can be foretold, as of too little history.
        """
        asked = {
            "query": query,
            "service": service,
            "namespace": namespace,
            "signal": signal,
            "resource": resource,
            "horizon_days": horizon_days,
            "history_days": history_days,
            "hour": how,
            "coverage": coverage,
        }
        words = {name: word for name, word in asked.items() if word is not None}
        return foretold(object_of(self._server.get(f"/v1/forecasts?{urlencode(words)}")))

    def _one(self, path: str, id: str) -> dict[str, Any]:
        return object_of(self._server.get(f"{path}/{named(id, 'id')}"))

    def _listed(
        self,
        path: str,
        key: str,
        asked: Mapping[str, Word],
        limit: int,
        columns: Sequence[Column],
        told: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Pages until `limit`; `attrs["more"]` says whether there are others behind them.

        `told`: words of the last page that go into `attrs`.
        """
        if not 1 <= limit <= MOST_ROWS:
            words = f"limit: {limit} is not between 1 and {MOST_ROWS}"
            raise InputError(words, field="limit")
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        page: Mapping[str, Any] = {}
        while len(found) < limit:
            page = self._page(path, {**asked, "cursor": cursor}, min(_PAGE, limit - len(found)))
            rows, before, cursor = rows_of(page, key), cursor, cursor_of(page)
            found += rows[: limit - len(found)]
            if cursor is None or cursor == before or not rows:
                break
        frame = frame_of(found, columns)
        frame.attrs = {"more": cursor is not None, **{name: page.get(name) for name in told}}
        return frame

    def _page(self, path: str, asked: Mapping[str, Word], limit: int) -> dict[str, Any]:
        words = {name: query_of(word) for name, word in asked.items() if word is not None}
        return object_of(self._server.get(f"{path}?{urlencode({**words, 'limit': limit})}"))
