"""What a statement does and to which table, over the dialects that people really write."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import Peer, PeerKind
from pipelines.ingest.spans.statement import verb_and_table
from tests.pipelines.ingest.spans.requests import decoded, request_of, span_of


def told(text: str, *, before: str = "", behind: str = "") -> tuple[str, str]:
    """Verb and table as they stand in a text, which lies in the middle of others."""
    body = (before + text + behind).encode()
    begin = len(before.encode())
    places = verb_and_table(np.frombuffer(body, np.uint8), begin, begin + len(text.encode()))
    return body[places[0] : places[1]].decode(), body[places[2] : places[3]].decode()


TABLES = {
    "with": [
        ("WITH a AS (SELECT 1 FROM x), b AS (SELECT 2 FROM y) SELECT * FROM z", "SELECT", "z"),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n FROM t) INSERT INTO a SELECT n", "INSERT",
         "a"),
        ("WITH gone AS (DELETE FROM a RETURNING id) UPDATE b SET x = 1", "UPDATE", "b"),
        (";WITH cte AS (SELECT 1 AS one) SELECT one FROM cte", "SELECT", "cte"),
        ("with t as (select ')' from q) delete from r", "delete", "r"),
    ],
    "quoted": [
        ('SELECT "valid from", x FROM orders', "SELECT", "orders"),
        ("SELECT `a from b` FROM `orders`", "SELECT", "`orders`"),
        ('INSERT INTO "Order Items" (a) VALUES (1)', "INSERT", '"Order Items"'),
        ("SELECT * FROM [dbo].[Order Details] WHERE a = 1", "SELECT", "[dbo].[Order Details]"),
        ('DELETE FROM "a""b" WHERE 1', "DELETE", '"a""b"'),
        ('UPDATE "select" SET a = 1', "UPDATE", '"select"'),
        ("SELECT 'it''s FROM here' FROM there", "SELECT", "there"),
        ('SELECT * FROM "never closed', "SELECT", '"never closed'),
    ],
    "comments": [
        ("SELECT/*a*/1/*FROM b*/FROM/*c*/orders", "SELECT", "orders"),
        ("-- SELECT * FROM a\nDELETE FROM b", "DELETE", "b"),
        ("/*traceparent='00-ab-cd-01'*/ UPDATE orders SET a = 1", "UPDATE", "orders"),
        ("SELECT 1 -- FROM a\n FROM b", "SELECT", "b"),
        ("SELECT 1 -- FROM a", "SELECT", ""),
    ],
    "schemas": [
        ("SELECT * FROM shop.public.orders", "SELECT", "shop.public.orders"),
        ('SELECT * FROM "shop"."orders"', "SELECT", '"shop"."orders"'),
        ("INSERT INTO tempdb..#hot VALUES (1)", "INSERT", "tempdb..#hot"),
        ("SELECT * FROM #hot", "SELECT", "#hot"),
        ("SELECT * FROM größe", "SELECT", "größe"),
        ("SELECT * FROM _private", "SELECT", "_private"),
    ],
    "several": [
        ("SELECT 1; DELETE FROM orders", "SELECT", ""),
        ("UPDATE a SET x = 1; UPDATE b SET x = 1", "UPDATE", "a"),
        ("BEGIN; INSERT INTO orders VALUES (1)", "BEGIN", ""),
        ("SELECT * FROM a;", "SELECT", "a"),
        (";;", "", ""),
    ],
    "from": [
        ("SELECT TRIM(BOTH 'x' FROM name), SUBSTRING(a FROM 2) FROM people", "SELECT", "people"),
        ("SELECT a IS DISTINCT FROM b FROM t", "SELECT", "t"),
        ("SELECT DISTINCT a FROM t", "SELECT", "t"),
        ("SELECT (SELECT max(x) FROM inside) FROM outside", "SELECT", "outside"),
        ("SELECT * FROM ((SELECT a FROM deep) u JOIN v ON 1)", "SELECT", "deep"),
        ("SELECT a FROM one, two", "SELECT", "one"),
        ("DELETE o FROM orders o JOIN lines l", "DELETE", "orders"),
        ("DELETE FROM ONLY orders", "DELETE", "orders"),
        ("SELECT * FROM orders@north", "SELECT", "orders"),
    ],
    "no name": [
        ("SELECT * FROM ?", "SELECT", ""),
        ("SELECT * FROM $1 WHERE x", "SELECT", ""),
        ("INSERT INTO :table VALUES (1)", "INSERT", ""),
        ("UPDATE @t SET a = 1", "UPDATE", ""),
        ("SELECT * FROM %s", "SELECT", ""),
        ("SELECT * FROM 'orders'", "SELECT", ""),
    ],
    "definitions": [
        ("CREATE TEMPORARY TABLE IF NOT EXISTS t AS SELECT 1", "CREATE", "t"),
        ("CREATE INDEX i ON t (a)", "CREATE", ""),
        ("ALTER TABLE ONLY t ADD x int", "ALTER", "t"),
        ("DROP TABLE IF EXISTS shop.t", "DROP", "shop.t"),
        ("TRUNCATE orders", "TRUNCATE", "orders"),
        ("TRUNCATE TABLE ONLY orders", "TRUNCATE", "orders"),
        ("REPLACE INTO t VALUES (1)", "REPLACE", "t"),
        ("INSERT IGNORE INTO t VALUES (1)", "INSERT", "t"),
        ("MERGE INTO t USING u ON 1", "MERGE", "t"),
    ],
    "other verbs": [
        ("CALL ship(17)", "CALL", ""),
        ("EXPLAIN SELECT * FROM t", "EXPLAIN", ""),
        ("SHOW TABLES FROM shop", "SHOW", ""),
        ("MATCH (n:Person) RETURN n", "MATCH", ""),
        ("ROLLBACK", "ROLLBACK", ""),
        ("GET user:4711", "GET", ""),
        ("hset cart:12 total 9", "hset", ""),
        ("ZRANGEBYSCORE board 1 5", "ZRANGEBYSCORE", ""),
        ("XREADGROUP GROUP g c STREAMS from >", "XREADGROUP", ""),
        ("EVALSHA 6b1bf486c81ceb7edf3c093f4c48582e38c0e791 0", "EVALSHA", ""),
    ],
    "nothing": [
        ('{"find": "orders", "filter": {"id": 17}}', "", ""),
        ("[SELECT]", "", ""),
        ("4711", "", ""),
        ("?", "", ""),
        ("   \n\t", "", ""),
        ("averylongwordthatnoverbeverwas x", "", ""),
    ],
}  # fmt: skip
CASES = [(kind, *case) for kind, cases in TABLES.items() for case in cases]


@pytest.mark.parametrize(("kind", "text", "verb", "table"), CASES)
def test_a_statement_tells_its_verb_and_its_table(
    kind: str, text: str, verb: str, table: str
) -> None:
    """A query that a canary makes slower is named so that its author knows it."""
    assert told(text) == (verb, table), kind


@pytest.mark.parametrize("text", ["SELECT * FROM orders", "UPDATE orders", "SELECT 1", "COMMIT"])
def test_what_stands_beside_a_text_is_not_read(text: str) -> None:
    """Behind a statement lies the next attribute of the span, in the same bytes."""
    assert told(text, before="FROM a ", behind=" FROM secrets") == told(text)
    assert told(text, behind=" secrets")[1] in {"", "orders"}


def test_a_text_is_read_up_to_a_bound() -> None:
    """A bulk insert of a megabyte costs no more than its beginning."""
    columns = ", ".join(f"c{n}" for n in range(2_000))
    assert told(f"SELECT {columns} " + "FROM orders") == ("SELECT", "")
    assert told("INSERT INTO orders " + f"({columns}) VALUES (1)") == ("INSERT", "orders")  # noqa: S608


NAMES = st.from_regex(r"[a-z_][a-z_0-9]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"if", "not", "exists", "only", "table", "lateral"}
)
VALUES = st.text(alphabet='abc FROMfrom();,-/*"`[]\n', max_size=20).map(
    lambda text: "'" + text.replace("'", "''") + "'"
)
SPACES = st.sampled_from([" ", "\n", "\t ", " /* FROM x */ ", " -- FROM x\n"])


@given(NAMES, VALUES, VALUES, SPACES, st.sampled_from(["{}", '"{}"', "`{}`", "[{}]", "s.{}"]))
def test_values_and_comments_never_name_a_table(
    name: str, one: str, other: str, space: str, quoted: str
) -> None:
    """A customer's words in a query are in no label, whatever they are."""
    table = quoted.format(name)
    text = f"{one}, f({other}){space}FROM{space}{table}{space}WHERE a = {other}"
    assert told(f"SELECT {text}") == ("SELECT", table)


@given(NAMES, VALUES, SPACES)
def test_an_insertion_names_its_table_and_none_of_its_values(
    name: str, value: str, space: str
) -> None:
    """The first thing that stands behind INTO is it."""
    text = f"{space}into{space}{name} (a) values ({value}); select 1 from b"  # noqa: S608
    assert told(f"insert{text}") == ("insert", name)


@given(st.binary(max_size=120))
def test_places_lie_within_any_text(body: bytes) -> None:
    """Bytes of anything: nothing of another attribute is read, and nothing breaks."""
    for at, end in ((0, len(body)), (len(body) // 3, 2 * len(body) // 3)):
        verb, verb_end, table, table_end = verb_and_table(np.frombuffer(body, np.uint8), at, end)
        assert (verb, verb_end) == (0, 0) or at <= verb < verb_end <= end
        assert (table, table_end) == (0, 0) or verb_end <= table < table_end <= end


STATEMENTS = {
    "SELECT a, EXTRACT(YEAR FROM ts) FROM orders WHERE note = 'FROM x'": "SELECT orders",
    "select o.id from shop.orders o join lines l on l.o = o.id": "SELECT shop.orders",
    "/* trace */ -- hint\n INSERT INTO `shop`.`lines` (a) VALUES ('x; DROP')": "INSERT shop.lines",
    "UPDATE ONLY public.orders SET a = 1": "UPDATE public.orders",
    "DELETE FROM orders;": "DELETE orders",
    "WITH t AS (SELECT 1 FROM z) SELECT * FROM y": "SELECT y",
    "SELECT * FROM (SELECT * FROM inner_one) q": "SELECT inner_one",
    "(SELECT 1 FROM a) UNION (SELECT 2 FROM b)": "SELECT a",
    "CREATE TABLE IF NOT EXISTS t1 (a int)": "CREATE t1",
    "SELECT 1": "SELECT",
    "COMMIT": "COMMIT",
    "HGETALL user:4711": "HGETALL",
    '{"find": "orders"}': "call",
    "": "call",
    "'": "call",
    "(((((": "call",
    "SELECT * FROM '": "SELECT",
    "/*": "call",
    "WITH": "call",
}


@pytest.mark.parametrize(("text", "name"), STATEMENTS.items())
@pytest.mark.parametrize("key", ["db.statement", "db.query.text"])
def test_a_statement_is_named_by_its_verb_and_table(text: str, name: str, key: str) -> None:
    """Many values, one operation; and nothing of the values is kept."""
    spans = decoded(
        request_of(span_of({"db.system": "postgresql", key: text}, name="call", kind=3))
    ).spans
    assert spans.operations == (name,)
    assert spans.peers == (Peer(kind=PeerKind.DATABASE, name="postgresql"),)


@given(st.text(alphabet="SELECTFROMWIH(),'\"`-/*\n a1.;é", max_size=60))
def test_any_statement_ends(text: str) -> None:
    """A text that is no SQL is no reason to fail."""
    spans = decoded(request_of(span_of({"db.system": "x", "db.statement": text}, name="n"))).spans
    assert len(spans.operations) == 1
