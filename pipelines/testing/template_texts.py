"""Texts of log templates from memory, as a template store tells them; can be down on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.errors import StoreError
from detector.logs.counted import Template

__all__ = ["MemoryTemplateTexts"]


class MemoryTemplateTexts:
    """Knows what was put; while `is_down` it fails. `asked`: every look-up, as it came."""

    def __init__(self, templates: Sequence[Template] = (), tenant: str = "default") -> None:
        self.is_down = False
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self._known = {(tenant, one.id): one for one in templates}

    def put(self, tenant: str, template: Template) -> None:
        """Know one more."""
        self._known[tenant, template.id] = template

    def __call__(self, tenant: str, ids: Sequence[str]) -> Mapping[str, Template]:
        """Those that are known, by id."""
        self.asked.append((tenant, tuple(ids)))
        if self.is_down:
            raise StoreError("the template store does not answer")
        return {id: self._known[tenant, id] for id in ids if (tenant, id) in self._known}
