"""A page as a tree: what a reader without a style sheet and without scripts gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Node", "parse"]

VOID = {"meta", "link", "br", "input", "hr", "img"}


@dataclass(slots=True)
class Node:
    """An element; its `inside` are elements and texts in their order."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    inside: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that can be read in it, spaces made one; scripts and what needs none left out."""
        parts = [
            part if isinstance(part, str) else part.text
            for part in self.inside
            if isinstance(part, str) or part.tag not in ("script", "style", "noscript")
        ]
        return " ".join(" ".join(parts).split())

    def every(self, tag: str = "", **attrs: str) -> Iterator[Node]:
        """The elements in it with a tag and attributes, in their order (`_` reads `-`)."""
        for part in self.inside:
            if isinstance(part, str):
                continue
            wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
            has = all(part.attrs.get(name) == value for name, value in wanted.items())
            if tag in ("", part.tag) and has:
                yield part
            yield from part.every(tag, **attrs)

    def one(self, tag: str = "", **attrs: str) -> Node:
        """The first such element, which there must be."""
        found = next(self.every(tag, **attrs), None)
        assert found is not None, f"no {tag} {attrs} in {self.text[:200]}"
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice on {tag}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def parse(html: str) -> Node:
    """The tree; fails where an element is not closed in order, or an id comes twice."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], f"left open: {[node.tag for node in reader.open]}"
    ids = [node.attrs["id"] for node in reader.root.every() if "id" in node.attrs]
    assert len(ids) == len(set(ids)), f"an id twice: {ids}"
    return reader.root
