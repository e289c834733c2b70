"""Templates of a package as pages are made of them, and data put into a page's script."""

from __future__ import annotations

import json

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["inlined", "templates_of"]


def templates_of(package: str) -> Environment:
    """The templates of a package: text is escaped, and what is not given is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def inlined(value: object) -> str:
    r"""A value as JSON that may stand within a script of a page.

    >>> inlined(["</script>"])
    '["\\u003c/script>"]'
    """
    return json.dumps(value).replace("<", "\\u003c")
