"""prometheus-api-client on our wire. Import late: it brings requests with it (0.1 s)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests
from prometheus_api_client import PrometheusConnect
from requests.adapters import BaseAdapter

from detector.errors import SourceError
from pipelines.sources.deadline import Deadline
from pipelines.sources.exchange import Exchange, Params

__all__ = ["connect"]

# Where the API takes a form, the matchers need not fit into a URL.
FORM_PATHS = frozenset({"/api/v1/series", "/api/v1/labels"})
# What Prometheus 3 warns of when there is more than our `limit`; the reader counts and says so.
OUR_LIMIT = "truncated due to limit"


class _Told(msgspec.Struct):
    warnings: list[str] = []
    isPartial: bool = False  # noqa: N815 - how VictoriaMetrics says what others warn of


_told = msgspec.json.Decoder(_Told)


def connect(
    url: str,
    exchange: Exchange,
    deadline: Deadline,
    params: Params = (),
    most: int | None = None,
) -> PrometheusConnect:
    """A client for one call, whose requests go through `exchange` and end at the deadline.

    `params` are sent with each of them; `most` bounds the bytes of a list of series.

    Alone the client has no default time-out, no total deadline and no bound on bodies, does not
    retry POST, and the session would take credentials from the user's netrc.
    """
    session = requests.Session()
    session.trust_env = False
    client = PrometheusConnect(url, session=session)
    # After the client, which mounts its own.
    session.mount(url, _Wire(url, exchange, deadline, params, most))
    return client


class _Wire(BaseAdapter):
    """A requests adapter that sends by `Exchange`, with its auth, bounds, retries and errors."""

    def __init__(
        self,
        url: str,
        exchange: Exchange,
        deadline: Deadline,
        params: Params,
        most: int | None,
    ) -> None:
        super().__init__()
        self._most = most
        self._url = url
        self._exchange = exchange
        self._deadline = deadline
        self._params = params

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        """Answer one prepared request; raises `SourceError` for all but a 200."""
        target = str(request.url).removeprefix(self._url)
        path, params = urlsplit(target).path, parse_qsl(urlsplit(target).query)
        params.extend(self._params)
        method = "POST" if path in FORM_PATHS else "GET"
        most = self._most if path == "/api/v1/series" else None
        reply = self._exchange.send(method, path, params, self._deadline, most=most)
        self._refuse_a_part(reply.body)
        response = requests.Response()
        response.status_code = 200
        response.encoding = "utf-8"
        response.url = target
        response._content = reply.body  # requests has no other way to set a body
        return response

    def _refuse_a_part(self, body: bytes) -> None:
        """A plan is made once: of half a catalogue it would lack signals to the rollout's end."""
        try:
            told = _told.decode(body)
        except msgspec.MsgspecError:
            return  # whoever reads the body says what it is
        missing = [warning for warning in told.warnings if OUR_LIMIT not in warning]
        if missing or told.isPartial:
            why = f": {missing[0][:300]}" if missing else ""
            raise SourceError(f"{self._exchange.where} tells only a part of what exists{why}")

    def close(self) -> None:
        """Nothing of its own to close."""
