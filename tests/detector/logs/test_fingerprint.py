"""One error is one fingerprint, whatever line it is on, and two errors are two."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.fingerprint import fingerprint
from detector.logs.redaction import redacted
from detector.logs.trace_frames import Language

JAVA = """java.lang.RuntimeException: wrapped order 17
\tat com.acme.Api.handle(Api.java:10)
Caused by: java.lang.NullPointerException: Cannot invoke "Order.id()" because "x" is null
\tat java.base/java.util.Objects.requireNonNull(Objects.java:233)
\tat org.springframework.aop.Proxy.invoke(Proxy.java:9)
\tat com.acme.order.OrderService.lambda$place$0(OrderService.java:42)
\tat com.acme.order.OrderService$$Lambda/0x00007f8.run(Unknown Source)
\t... 12 more"""
PYTHON = """order failed
Traceback (most recent call last):
  File "/app/shop/cart.py", line 12, in total
    return decode(text)
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
    obj, end = self.scan_once(s, idx)
               ^^^^^^^^^^^^^^^^^^^^^^
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"""
GO = """panic: runtime error: index out of range [5] with length 3

goroutine 17 [running]:
runtime.panicIndex(0x5)
\t/usr/local/go/src/runtime/panic.go:88 +0x1
main.(*Server).Place.func1.2(0xc000, {0x1, 0x2})
\t/src/app/server.go:42 +0x1d
net/http.HandlerFunc.ServeHTTP(...)
\t/usr/local/go/src/net/http/server.go:2136"""
NODE = """TypeError: Cannot read properties of undefined (reading 'id')
    at Object.parse (node:internal/json:1:1)
    at OrderController.place (/app/src/orders.js:10:15)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"""
DOTNET = """System.InvalidOperationException: outer
 ---> System.NullReferenceException: inner
   at System.Linq.Enumerable.First()
   at Shop.Orders.OrderService.<Place>b__4_0(Order order) in /src/OrderService.cs:line 42
   --- End of inner exception stack trace ---
   at Shop.Api.Handle() in /src/Api.cs:line 7"""
RUBY = """/usr/lib/ruby/3.0.0/json.rb:3:in `parse': divided by 0 (ZeroDivisionError)
\tfrom app/models/order.rb:12:in `total'
\tfrom /usr/lib/ruby/gems/3.0/gems/rack/x.rb:3:in `call'"""
TRACES = {
    Language.JAVA: (JAVA, "NullPointerException at OrderService.place"),
    Language.PYTHON: (PYTHON, "JSONDecodeError at total (cart.py)"),
    Language.GO: (
        GO,
        "panic: runtime error: index out of range with length at main.(*Server).Place.func",
    ),
    Language.NODE: (NODE, "TypeError at OrderController.place (orders.js)"),
    Language.DOTNET: (DOTNET, "NullReferenceException at OrderService.Place"),
    Language.RUBY: (RUBY, "ZeroDivisionError at total (order.rb)"),
}
EVERY = pytest.mark.parametrize(
    ("language", "text", "title"), [(one, *case) for one, case in TRACES.items()], ids=TRACES
)
TEXTS = [text for text, _ in TRACES.values()]


def id_of(text: str) -> str:
    """Of a text that holds a trace."""
    found = fingerprint(text)
    assert found is not None
    return found.id


@EVERY
def test_the_root_cause_is_named_where_it_is_in_the_apps_own_code(
    language: Language, text: str, title: str
) -> None:
    """Whoever is woken would read which framework called which."""
    found = fingerprint(text)
    assert found is not None
    assert (found.language, found.title) == (language, title)


@EVERY
def test_a_redacted_trace_is_the_same_error(language: Language, text: str, title: str) -> None:
    """What is stored of a line could not be grouped with what comes in."""
    assert id_of(redacted(text)) == id_of(text)


@EVERY
def test_a_trace_in_json_is_the_same_error(language: Language, text: str, title: str) -> None:
    """A service that logs JSON would have every error twice, or none."""
    assert id_of(json.dumps(text)[1:-1]) == id_of(text)


@given(st.sampled_from(TEXTS), st.integers(1, 99_999))
def test_numbers_of_lines_make_no_other_error(text: str, line: int) -> None:
    """Every release would make all known errors new ones."""
    form = r"(\.(?:java|go|js|rb|cs|py)\"?(?:, |:)(?:line )?)\d+(:\d+)?"
    moved = re.sub(form, lambda one: f"{one[1]}{line}{one[2] or ''}", text)
    assert moved.count(str(line)) >= 1
    assert id_of(moved) == id_of(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lambda$place$0", "lambda$place$17"),
        ("0x00007f8", "0x0000abc"),
        ("com.acme.Api.handle", "com.acme.Batch.handle"),
        ("order 17", "order 4711"),
    ],
)
def test_what_is_generated_or_comes_from_elsewhere_makes_no_other_error(
    before: str, after: str
) -> None:
    """A restart would make all known errors new ones."""
    assert id_of(JAVA.replace(before, after)) == id_of(JAVA)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("java.lang.NullPointerException", "java.lang.IllegalStateException"),
        ("lambda$place$0", "cancel"),
        ("com.acme.order.OrderService.lambda", "com.acme.order.Refunds.lambda"),
    ],
)
def test_another_error_or_place_is_another_error(before: str, after: str) -> None:
    """A new error would hide behind one that everybody knows."""
    assert id_of(JAVA.replace(before, after)) != id_of(JAVA)


def test_an_explicit_cause_in_python_is_the_root() -> None:
    """The handler that wrapped the error would be blamed for it."""
    chained = (
        PYTHON
        + "\n\nThe above exception was the direct cause of the following exception:\n\n"
        + 'Traceback (most recent call last):\n  File "/app/api.py", line 1, in handle\n'
        + "    total()\nRuntimeError: no total"
    )
    assert id_of(chained) == id_of(PYTHON)


def test_a_cause_in_node_is_the_root() -> None:
    """The handler that wrapped the error would be blamed for it."""
    cause = NODE.replace("TypeError", "  [cause]: TypeError").replace("    at", "        at")
    outer = "Error: no order\n    at handle (/app/src/api.js:1:2) {\n"
    assert id_of(outer + cause) == id_of(NODE)


def test_where_all_is_a_framework_the_innermost_frame_counts() -> None:
    """Errors of a framework alone would all be one."""
    text = "java.io.IOException: x\n\tat java.net.Socket.read(Socket.java:1)"
    found = fingerprint(text)
    assert found is not None
    assert found.title == "IOException at Socket.read"


@pytest.mark.parametrize(
    "text",
    ["", "order 17 placed", "meet me at noon (12:30)", "a\nb\nc", "at x\nat y (z)", "goroutine 1"],
)
def test_a_line_without_a_trace_has_none(text: str) -> None:
    """Ordinary lines would be grouped by chance."""
    assert fingerprint(text) is None


@given(st.text(max_size=200), st.sampled_from(TEXTS))
def test_any_text_has_one_or_none_and_always_the_same(text: str, trace: str) -> None:
    """A line would end the stream."""
    for one in (text, text + trace, trace + text, trace[: len(text)]):
        assert fingerprint(one) == fingerprint(one)


@pytest.mark.parametrize(
    "piece",
    ["at a/", "at a.", "\tat a(", "(", '  File "', "a.b.", "goroutine 1\n", "at (x:1:2) ",
     "at a (", "x.rb:1:in `", "Caused by: a.", "\n at a(b.java:1)", "Traceback"],
)  # fmt: skip
def test_a_hostile_text_takes_no_longer_than_a_trace(piece: str) -> None:
    """One line would stop the stream of everybody."""
    text = "".join(f"{piece * 200}\n" for _ in range(1000))
    began = time.thread_time()
    fingerprint(text)
    assert time.thread_time() - began < 1.0
