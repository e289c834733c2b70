"""The shape of a source tree, counted: code lines per function, docstrings, annotations.

A code line holds code: blank lines, comments and docstrings do not count, the signature and
nested functions do. So the figures compare with those that other projects are measured by.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
_HOLDS_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One definition: where it is, how long, what it lacks. `lines` are code lines."""

    name: str
    place: str
    lines: int
    is_function: bool
    is_public: bool
    is_typed: bool
    is_documented: bool


def measure_file(path: Path, root: Path) -> list[Measured]:
    """Every function and class of a file; the module itself is not among them."""
    return measure(path.read_text(encoding="utf-8"), str(path.relative_to(root)))


def measure(source: str, name: str) -> list[Measured]:
    """As `measure_file`, from text; `name` is used in the places."""
    return list(_seen(source, name).definitions)


def code_lines(source: str, name: str = "") -> frozenset[int]:
    """Numbers of the lines that hold code; `name` as in `measure`."""
    return _seen(source, name).code


def has_module_docstring(source: str, name: str = "") -> bool:
    """Whether the module says what it is for; `name` as in `measure`."""
    return _seen(source, name).has_docstring


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    definitions: tuple[Measured, ...]
    code: frozenset[int]
    has_docstring: bool


# To parse a file is all the work, so that it is done once for every question. The trees are let go:
# millions of nodes that live on are looked through in every later collection of garbage.
@cache
def _seen(source: str, name: str) -> _Seen:
    tree = ast.parse(source)
    code = _code_lines(source, tree)
    found = (_measured(node, path, name, code) for node, path in _definitions(tree, ()))
    return _Seen(definitions=tuple(found), code=code, has_docstring=_has_docstring(tree))


# By lines and the tree: the tokenizer of the standard library takes four times as long, and the
# fast tests run this on all that we have.
def _code_lines(source: str, tree: ast.Module) -> frozenset[int]:
    texts = (line.strip() for line in source.split("\n"))
    lines = {at for at, text in enumerate(texts, 1) if text and not text.startswith("#")}
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno:
            lines.update(_span(node))  # what looks blank, or like a comment, is in a text
        elif isinstance(node, ast.Module | Definition) and _has_docstring(node):
            docstrings.update(_span(node.body[0]))
    return frozenset(lines - docstrings)


def _span(node: ast.expr | ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _has_docstring(node: ast.Module | Definition) -> bool:
    first = node.body[0] if node.body else None
    value = first.value if isinstance(first, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def quantile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least `share` of the values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def _measured(node: Definition, path: tuple[str, ...], name: str, code: frozenset[int]) -> Measured:
    is_function = isinstance(node, Function)
    return Measured(
        name=".".join(path),
        place=f"{name}:{node.lineno}",
        lines=sum(line in code for line in _span(node)),
        is_function=is_function,
        is_public=not any(part.startswith("_") for part in path),
        is_typed=not isinstance(node, Function) or _is_typed(node, is_method=len(path) > 1),
        is_documented=_has_docstring(node),
    )


def _is_typed(function: Function, *, is_method: bool) -> bool:
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    starred = [star for star in (arguments.vararg, arguments.kwarg) if star]
    if is_method and listed and listed[0].arg in {"self", "cls", "mcs"}:
        listed = listed[1:]
    return function.returns is not None and all(each.annotation for each in [*listed, *starred])


def _definitions(
    node: ast.AST, path: tuple[str, ...]
) -> Iterator[tuple[Definition, tuple[str, ...]]]:
    """Definitions in order; one inside a function is private, whatever its name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            if not _is_overload(child):
                yield child, (*path, child.name)
            inside = "_inner" if isinstance(child, Function) else None
            yield from _definitions(child, (*path, child.name, *([inside] if inside else [])))
        elif isinstance(child, _HOLDS_STATEMENTS):
            yield from _definitions(child, path)


def _is_overload(node: Definition) -> bool:
    names = (d.attr if isinstance(d, ast.Attribute) else d for d in node.decorator_list)
    return any(name == "overload" or getattr(name, "id", "") == "overload" for name in names)
