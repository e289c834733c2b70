"""What an answer other than 200 means: whose fault it is, whether to ask again, what to do next."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from pipelines.sources.refusal import BusyError, FlakyError, TooMuchError, refusal

WHERE = "Prometheus at http://there"


def problem(kind: str = "bad_data", error: str = "what is wrong") -> bytes:
    """How the API tells of an error."""
    return json.dumps({"status": "error", "errorType": kind, "error": error}).encode()


def told(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> SourceError | FlakyError:
    return refusal(WHERE, status, headers or {}, body)


def final(error: SourceError | FlakyError) -> SourceError:
    """What is raised when no try is left."""
    return error.final if isinstance(error, FlakyError) else error


# -- who has to mend it


@pytest.mark.parametrize(
    ("status", "body", "code", "retryable"),
    [
        pytest.param(400, problem(), "query_rejected", False, id="a query that is none"),
        pytest.param(413, b"", "query_rejected", False, id="a body that is too large"),
        pytest.param(414, b"", "query_rejected", False, id="a URL that is too long"),
        pytest.param(422, problem("execution"), "query_rejected", False, id="it cannot be run"),
        pytest.param(429, b"", "query_rejected", True, id="too often"),
        pytest.param(401, b"", "source_unavailable", False, id="no credentials"),
        pytest.param(403, b"", "source_unavailable", False, id="other credentials"),
        pytest.param(404, b"", "source_unavailable", False, id="another path"),
        pytest.param(302, b"", "source_unavailable", False, id="a login page"),
        pytest.param(418, b"", "source_unavailable", False, id="something else"),
        pytest.param(500, b"", "source_unavailable", True, id="it failed"),
        pytest.param(502, b"", "source_unavailable", True, id="a gateway"),
        pytest.param(503, b"", "source_unavailable", True, id="away"),
        pytest.param(503, problem("timeout"), "source_unavailable", True, id="too slow"),
    ],
)
def test_a_status_is_the_callers_or_the_worlds(
    status: int, body: bytes, code: str, retryable: bool
) -> None:
    """A query that is rejected is told as that; a source that is away is not the query's fault."""
    error = final(told(status, body))
    assert (error.code, error.retryable) == (code, retryable)
    assert str(error).startswith(WHERE)
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_passes_by_itself_is_tried_again(status: int) -> None:
    """A load balancer between two replicas is no outage."""
    assert type(told(status)) is FlakyError


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500, 501])
def test_what_stays_is_not_tried_again(status: int) -> None:
    """The same question would get the same answer, and cost the source as much."""
    assert not isinstance(told(status), FlakyError)


def test_a_query_that_took_too_long_is_not_sent_again() -> None:
    """A Prometheus that just gave up on two minutes of work is not given them once more."""
    assert not isinstance(told(503, problem("timeout")), FlakyError)
    assert "takes too long" in str(told(503, problem("timeout")))


# -- too much


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("query processing would load too many samples into memory", id="Prometheus"),
        pytest.param("the query exceeded the maximum number of chunks", id="Mimir"),
        pytest.param("cannot select more than -search.maxSamples=1", id="VictoriaMetrics"),
        pytest.param(
            "cannot process more than 1000 samples per series", id="VictoriaMetrics, late"
        ),
        pytest.param("exceeded series limit", id="Thanos"),
    ],
)
def test_a_span_that_holds_too_much_is_known_in_every_dialect(words: str) -> None:
    """It is read in two halves instead; else a busy service could never be judged."""
    assert isinstance(told(422, problem("execution", words)), TooMuchError)
    assert not isinstance(told(422, problem("execution", "many-to-many matching")), TooMuchError)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("rpc error: code = Unavailable desc = connection error", "source_unavailable"),
        ("rpc error: code = DeadlineExceeded desc = deadline exceeded", "source_unavailable"),
        ("rpc error: code = ResourceExhausted desc = exceeded series limit", "query_rejected"),
    ],
)
def test_a_store_that_is_away_is_no_fault_of_the_query(words: str, code: str) -> None:
    """Thanos answers 422 for both: one is mended by waiting, the other by asking for less."""
    error = final(told(422, problem("execution", f"proxy Series(): fetch series for x: {words}")))
    assert (error.code, error.retryable) == (code, code == "source_unavailable")
    assert isinstance(error, TooMuchError) == (code == "query_rejected")


def test_a_query_whose_text_is_too_long_is_not_read_in_halves() -> None:
    """Six requests would be refused for the same reason as one."""
    words = "too long query; got 90 bytes; mustn't exceed `-search.maxQueryLen=64` bytes"
    error = told(422, problem("422", words))
    assert not isinstance(error, TooMuchError)
    assert final(error).code == "query_rejected"


# -- silence


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("3", 3.0), ("0", 0.0), ("3600", 60.0), ("", 1.0), ("soon", 1.0), ("-5", 1.0), ("1.5", 1.0)],
)
def test_a_busy_source_is_left_alone_as_long_as_it_asks(after: str, seconds: float) -> None:
    """Within a minute: nobody may silence us for ever, nor make us ask at once."""
    busy = told(429, headers={"retry-after": after})
    assert isinstance(busy, BusyError)
    assert busy.after_s == seconds


# -- words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "check the source's auth"),
        (404, "check the URL's path prefix"),
        (302, "give the URL of the API itself and credentials"),
        (429, "we ask too often"),
        (418, "no answer of a Prometheus"),
    ],
)
def test_the_next_move_is_told(status: int, words: str) -> None:
    """Whoever reads it at night need not look the number up."""
    assert words in str(told(status))


def test_a_redirect_tells_its_host_and_no_secret() -> None:
    """Where it leads, but not the token in its query."""
    text = str(told(302, headers={"location": "https://sso.example/login?token=s3cret"}))
    assert "sso.example" in text
    assert "s3cret" not in text
    assert "another path" in str(told(302, headers={"location": "/login?token=s3cret"}))
    assert "unreadable" in str(told(302, headers={"location": "http://[bad"}))


def test_what_the_source_says_is_quoted() -> None:
    """In one line, and not a page of it."""
    text = str(told(400, problem(error='parse error:\n  unexpected "{"')))
    assert text.endswith(': parse error: unexpected "{"')
    long = str(told(400, problem(error="x" * 5000)))
    assert len(long) < 500
    assert long.endswith("…")


@given(st.integers(300, 599), st.binary(max_size=60), st.text(max_size=20))
def test_any_answer_is_an_error_in_words(status: int, body: bytes, header: str) -> None:
    """No status and no body of a broken proxy is an exception of ours, or a pass."""
    error = final(told(status, body, {"location": header, "retry-after": header}))
    assert error.code in {"query_rejected", "source_unavailable"}
    assert "\n" not in str(error)
