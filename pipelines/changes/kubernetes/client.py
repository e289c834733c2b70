"""The API server of a cluster by Kubernetes' own Python client, which knows how one signs in."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from detector.errors import ConfigError, SourceError
from pipelines.changes.kubernetes.settings import KubernetesSettings

if TYPE_CHECKING:
    import kubernetes.client
    from urllib3 import BaseHTTPResponse

__all__ = ["Answer", "Api"]

# A page has 500 objects; etcd takes none above 1.5 MiB, and most have a few KiB.
_PAGE_MAX, _LINE_MAX, _PROBLEM_MAX = 64 << 20, 8 << 20, 64 << 10
_CHUNK = 64 << 10


class Answer:
    """What the server answers, as it comes; it can be broken off by another thread."""

    def __init__(self, raw: BaseHTTPResponse) -> None:
        self._raw, self.status = raw, int(raw.status)

    def body(self, most: int = _PAGE_MAX) -> bytes:
        """All of it; `SourceError` where it breaks off or is above `most` bytes."""
        whole = bytearray()
        for chunk in self._chunks():
            whole += chunk
            if len(whole) > most:
                raise SourceError(f"an answer of more than {most:,} bytes")
        return bytes(whole)

    def problem(self) -> bytes:
        """The body of a refusal, or as much of it as can be had."""
        try:
            return self.body(_PROBLEM_MAX)
        except SourceError:
            return b""

    def lines(self) -> Iterator[bytes]:
        """Line by line, each as soon as it is there; `SourceError` as of `body`."""
        rest = bytearray()
        for chunk in self._chunks():
            rest += chunk
            if b"\n" in chunk:
                *whole, tail = rest.split(b"\n")
                yield from (bytes(line) for line in whole if line.strip())
                rest = bytearray(tail)
            if len(rest) > _LINE_MAX:
                raise SourceError(f"an event of more than {_LINE_MAX:,} bytes")

    def close(self) -> None:
        """Done with it."""
        self._raw.close()

    def break_off(self) -> None:
        """Wake who waits for more of it."""
        try:
            self._raw.shutdown()
        except (OSError, ValueError, AttributeError, RuntimeError):
            # It ended by itself meanwhile.
            return

    def _chunks(self) -> Iterator[bytes]:
        import urllib3

        try:
            yield from self._raw.stream(_CHUNK)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise SourceError(f"the answer broke off: {type(error).__name__}") from None


class Api:
    """GETs of one API server; `ConfigError` where the cluster or the client is not there."""

    def __init__(self, settings: KubernetesSettings) -> None:
        self._timeout = settings.timeout_s
        self._client = _client(settings)
        # What refreshes a token that expired is not made for threads.
        self._lock = threading.Lock()

    def get(self, path: str, query: Mapping[str, str], *, accept: str, patience_s: float) -> Answer:
        """Ask; how long it may be silent. `SourceError` where nothing can be had."""
        import urllib3

        with self._lock:
            request = self._client.param_serialize(
                "GET",
                path,
                query_params=list(query.items()),
                header_params={"Accept": accept},
                auth_settings=["BearerToken"],
            )
        method, url, headers, *_ = request
        timeout = (self._timeout, patience_s)
        try:
            got = self._client.call_api(method, url, headers, _request_timeout=timeout)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise SourceError(f"the API server cannot be reached: {_words(error)}") from None
        return Answer(got.response)

    def close(self) -> None:
        """Give its connections back."""
        self._client.close()


def _client(settings: KubernetesSettings) -> kubernetes.client.ApiClient:
    try:
        import kubernetes.client
        import kubernetes.config
        import urllib3
        import yaml
    except ImportError as error:
        words = "needs a package that is not installed: pip install 'serinus[kubernetes]'"
        raise ConfigError(f"changes.kubernetes: {words}") from error
    configuration = kubernetes.client.Configuration()
    try:
        if settings.kubeconfig is None:
            kubernetes.config.load_incluster_config(configuration)
        else:
            kubernetes.config.load_kube_config(
                settings.kubeconfig, settings.context, configuration, persist_config=False
            )
    except (kubernetes.config.ConfigException, OSError) as error:
        raise ConfigError(f"{_place(settings)}: {error}") from None
    except (ValueError, TypeError, LookupError, AttributeError, yaml.YAMLError) as error:
        # Of what is in it nothing is said: it has secrets.
        raise ConfigError(f"{_place(settings)} cannot be read: {type(error).__name__}") from None
    # The feeds try again by themselves, and nobody is followed elsewhere with our token.
    configuration.retries = urllib3.Retry(total=0)
    configuration.connection_pool_maxsize = 32
    return kubernetes.client.ApiClient(configuration)


def _place(settings: KubernetesSettings) -> str:
    where = settings.kubeconfig or "the service account of this pod"
    return f"changes.kubernetes: {where}"


def _words(error: Exception) -> str:
    """What is wrong with the way there; a URL of it names no secret, but it is long."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__
