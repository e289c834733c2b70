"""Traces as runtimes print them: chains, groups, awaited calls, generated and minified names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.fingerprint import fingerprint
from detector.logs.redaction import redacted
from detector.logs.trace_frames import Language

Shape = tuple[Language, str, str]
SHAPES: dict[str, Shape] = {
    "java, with one suppressed": (
        Language.JAVA,
        "PayException at Pay.charge",
        (
            "com.acme.PayException: no\n"
            "\tat com.acme.Pay.charge(Pay.java:9)\n"
            "\tSuppressed: java.io.IOException: closed\n"
            "\t\tat com.acme.Conn.close(Conn.java:3)\n"
            "\t\t... 1 more\n"
            "\tat com.acme.Api.handle(Api.java:1)"
        ),
    ),
    "java, two causes deep": (
        Language.JAVA,
        "SocketTimeoutException at Http.read",
        (
            "com.acme.PayException: no\n"
            "\tat com.acme.Pay.charge(Pay.java:9)\n"
            "Caused by: com.acme.Inner: x\n"
            "\tat com.acme.Bank.call(Bank.java:9)\n"
            "\t... 3 more\n"
            "Caused by: java.net.SocketTimeoutException: Read timed out\n"
            "\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278)\n"
            "\tat com.acme.Http.read(Http.java:5)\n"
            "\t... 9 more"
        ),
    ),
    "kotlin, a coroutine": (
        Language.JAVA,
        "KotlinNullPointerException at OrderRepo$find$.invokeSuspend",
        (
            "kotlin.KotlinNullPointerException\n"
            "\tat com.acme.OrderRepo$find$2.invokeSuspend(OrderRepo.kt:31)\n"
            "\tat kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith(Cont"
            "inuationImpl.kt:33)"
        ),
    ),
    "java, a class that is enhanced": (
        Language.JAVA,
        "IllegalStateException at OrderService$$.place",
        (
            "java.lang.IllegalStateException: x\n"
            "\tat com.acme.OrderService$$EnhancerBySpringCGLIB$$8a7b4d3e.place(<generated>)\n"
            "\tat com.acme.OrderService.place(OrderService.java:3)"
        ),
    ),
    "java, with jars behind frames": (
        Language.JAVA,
        "IllegalStateException at Api.run",
        (
            "java.lang.IllegalStateException: x\n"
            "\tat com.acme.Api.run(Api.java:3) ~[app-1.2.3.jar!/:1.2.3]\n"
            "\tat app//com.acme.Main.main(Main.java:1) [app.jar:?]"
        ),
    ),
    "python, a group": (
        Language.PYTHON,
        "ValueError at work (b.py)",
        (
            "  + Exception Group Traceback (most recent call last):\n"
            '  |   File "/app/a.py", line 3, in main\n'
            "  |     x()\n"
            "  | ExceptionGroup: many (1 sub-exception)\n"
            "  +-+---------------- 1 ----------------\n"
            "    | Traceback (most recent call last):\n"
            '    |   File "/app/b.py", line 4, in work\n'
            "    |     y()\n"
            "    | ValueError: bad\n"
            "    +------------------------------------"
        ),
    ),
    "python, awaited": (
        Language.PYTHON,
        "Declined at place (orders.py)",
        (
            "Traceback (most recent call last):\n"
            '  File "/app/shop/api.py", line 5, in handle\n'
            "    await place()\n"
            '  File "/app/shop/orders.py", line 9, in place\n'
            "    raise Declined()\n"
            "shop.errors.Declined"
        ),
    ),
    "python, a message of two lines": (
        Language.PYTHON,
        "Declined at place (orders.py)",
        (
            "Traceback (most recent call last):\n"
            '  File "/app/shop/orders.py", line 9, in place\n'
            "    raise X('a\\nb')\n"
            "shop.errors.Declined: first line\n"
            "second: line"
        ),
    ),
    "python, a recursion": (
        Language.PYTHON,
        "RecursionError at f (f.py)",
        (
            "Traceback (most recent call last):\n"
            '  File "/app/f.py", line 1, in f\n'
            "    f()\n"
            '  File "/app/f.py", line 1, in f\n'
            "    f()\n"
            "  [Previous line repeated 995 more times]\n"
            "RecursionError: maximum recursion depth exceeded"
        ),
    ),
    "python, while handling": (
        Language.PYTHON,
        "ValueError at two (b.py)",
        (
            "Traceback (most recent call last):\n"
            '  File "/app/a.py", line 1, in one\n'
            "KeyError: 'x'\n"
            "\n"
            "During handling of the above exception, another exception occurred:\n"
            "\n"
            "Traceback (most recent call last):\n"
            '  File "/app/b.py", line 1, in two\n'
            "ValueError: y"
        ),
    ),
    "python, no syntax": (
        Language.PYTHON,
        "SyntaxError at one (a.py)",
        (
            "Traceback (most recent call last):\n"
            '  File "/app/a.py", line 1, in one\n'
            "    eval(x)\n"
            '  File "<string>", line 1\n'
            "    a b\n"
            "      ^\n"
            "SyntaxError: invalid syntax"
        ),
    ),
    "go, a nil pointer": (
        Language.GO,
        (
            "panic: runtime error: invalid memory address or nil pointer "
            "dereference at orders.(*Store).Get"
        ),
        (
            "panic: runtime error: invalid memory address or nil pointer dereference\n"
            "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x4a5b6c]\n"
            "\n"
            "goroutine 42 [running]:\n"
            "github.com/acme/shop/orders.(*Store).Get(0x0, {0xc0001, 0x5})\n"
            "\t/build/orders/store.go:31 +0x18\n"
            "main.main()\n"
            "\t/build/main.go:12 +0x25"
        ),
    ),
    "go, panicked again": (
        Language.GO,
        "panic: boom at main.pay",
        (
            "panic: boom [recovered]\n"
            "\tpanic: boom\n"
            "\n"
            "goroutine 7 [running]:\n"
            "testing.tRunner.func1.2({0x1, 0x2})\n"
            "\t/usr/local/go/src/testing/testing.go:1526 +0x24e\n"
            "panic({0x1?, 0x2?})\n"
            "\t/usr/local/go/src/runtime/panic.go:884 +0x213\n"
            "main.pay(...)\n"
            "\t/src/pay.go:3"
        ),
    ),
    "go, a fatal error": (
        Language.GO,
        "fatal error: concurrent map writes at main.put",
        (
            "fatal error: concurrent map writes\n"
            "\n"
            "goroutine 18 [running]:\n"
            "main.put(...)\n"
            "\t/src/cache.go:9\n"
            "created by main.start in goroutine 1\n"
            "\t/src/main.go:2 +0x1"
        ),
    ),
    "node, awaited": (
        Language.NODE,
        "Error at OrderService.place (orders.js)",
        (
            "Error: declined\n"
            "    at async OrderService.place (/app/src/orders.js:10:15)\n"
            "    at async Promise.all (index 0)\n"
            "    at async /app/src/api.js:3:5"
        ),
    ),
    "node, a constructor": (
        Language.NODE,
        "TypeError at Cart (cart.js)",
        (
            "TypeError: x\n"
            "    at new Cart (/app/src/cart.js:1:2)\n"
            "    at Object.<anonymous> (/app/src/index.js:1:2)"
        ),
    ),
    "node, webpack": (
        Language.NODE,
        "TypeError at t.value (cart.js)",
        "TypeError: x\n    at t.value (webpack:///./src/cart.js?:12:3)",
    ),
    "browser, minified": (
        Language.NODE,
        "TypeError at a (main.chunk.js)",
        (
            "TypeError: Cannot read properties of undefined (reading 'id')\n"
            "    at a (https://cdn.example.org/static/js/main.3f786850.chunk.js:2:41532)\n"
            "    at https://cdn.example.org/static/js/main.3f786850.chunk.js:2:9"
        ),
    ),
    "dotnet, awaited": (
        Language.DOTNET,
        "TimeoutException at OrderService.PlaceAsync",
        (
            "System.TimeoutException: x\n"
            "   at Shop.Orders.OrderService.<PlaceAsync>d__12.MoveNext() in "
            "/src/OrderService.cs:line 42\n"
            "--- End of stack trace from previous location ---\n"
            "   at Shop.Api.OrdersController.<Post>d__3.MoveNext()"
        ),
    ),
    "ruby 3.4": (
        Language.RUBY,
        "ZeroDivisionError at Order#total (order.rb)",
        (
            "app/models/order.rb:12:in 'Order#total': divided by 0 (ZeroDivisionError)\n"
            "\tfrom app/x.rb:1:in 'block in Api#call'"
        ),
    ),
    "ruby, rails": (
        Language.RUBY,
        "ZeroDivisionError at total (order.rb)",
        (
            "ZeroDivisionError (divided by 0):\n"
            "\n"
            "app/models/order.rb:12:in `total'\n"
            "app/controllers/x.rb:3:in `show'"
        ),
    ),
}
EVERY = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def id_of(text: str) -> str:
    """Of a text that holds a trace."""
    found = fingerprint(text)
    assert found is not None
    return found.id


@EVERY
def test_what_was_raised_where_is_read(shape: Shape) -> None:
    """Whoever is woken would read the name of a proxy, or nothing at all."""
    language, title, text = shape
    found = fingerprint(text)
    assert found is not None
    assert (found.language, found.title) == (language, title)


@EVERY
def test_lines_before_it_and_behind_it_make_no_other_error(shape: Shape) -> None:
    """The same error with another message before it would be another one."""
    text = shape[-1]
    assert id_of(f"2026-11-27 03:16:02 ERROR order 4711 failed\n{text}") == id_of(text)
    assert id_of(f"{text}\n") == id_of(text)


@EVERY
def test_it_is_the_same_however_it_was_carried(shape: Shape) -> None:
    """An agent that escapes, or stores what is redacted, would make a second error of it."""
    text = shape[-1]
    assert id_of(redacted(text)) == id_of(text)
    assert id_of(json.dumps({"stack": text})[11:-2]) == id_of(text)
    assert id_of(text.replace("\n", "\r\n")) == id_of(text)


def test_no_two_of_them_are_one_error() -> None:
    """A new error would hide behind one that everybody knows."""
    alike = {"python, awaited"}
    ids = {id_of(shape[-1]) for name, shape in SHAPES.items() if name not in alike}
    assert len(ids) == len(SHAPES) - len(alike)


@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 600))
def test_a_trace_that_is_cut_off_does_no_harm(name: str, end: int) -> None:
    """Agents cut long lines where they like; the stream would end there."""
    found = fingerprint(SHAPES[name][-1][:end])
    assert found is None or found.title == f"{found.error} at {found.frame}"
