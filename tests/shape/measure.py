"""The shape of a source tree, counted: code lines per function, docstrings, annotations.

A code line holds code: blank lines, comments and docstrings do not count, the signature and
nested functions do. So the figures compare with those that other projects are measured by.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


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
    tree, code = _parsed(source)
    return [_measured(node, path, name, code) for node, path in _definitions(tree, ())]


def code_lines(source: str) -> frozenset[int]:
    """Numbers of the lines that hold code."""
    return _parsed(source)[1]


# Both the definitions and the lines of a file are asked for, and to parse it is all the work.
@cache
def _parsed(source: str) -> tuple[ast.Module, frozenset[int]]:
    tree = ast.parse(source)
    return tree, _code_lines(source, tree)


def _code_lines(source: str, tree: ast.Module) -> frozenset[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return frozenset(lines - _docstring_lines(tree))


def has_module_docstring(source: str) -> bool:
    """Whether the module says what it is for."""
    return ast.get_docstring(ast.parse(source)) is not None


def quantile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least `share` of the values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def _measured(node: Definition, path: tuple[str, ...], name: str, code: frozenset[int]) -> Measured:
    is_function = isinstance(node, Function)
    return Measured(
        name=".".join(path),
        place=f"{name}:{node.lineno}",
        lines=len(code & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))),
        is_function=is_function,
        is_public=not any(part.startswith("_") for part in path),
        is_typed=not isinstance(node, Function) or _is_typed(node, is_method=len(path) > 1),
        is_documented=ast.get_docstring(node) is not None,
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
        else:
            yield from _definitions(child, path)


def _is_overload(node: Definition) -> bool:
    names = (d.attr if isinstance(d, ast.Attribute) else d for d in node.decorator_list)
    return any(name == "overload" or getattr(name, "id", "") == "overload" for name in names)


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | Definition) and ast.get_docstring(node) is not None:
            first = node.body[0]
            lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines
