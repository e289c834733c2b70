"""What is said in the configuration of metrics that are pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from api.section import Seconds, Section
from detector.errors import InputError

if TYPE_CHECKING:
    from pipelines.ingest.selectors import Selector

__all__ = ["PullSection"]


class PullSection(Section):
    """Metrics that are read from the metric source, for those who cannot push them."""

    selectors: tuple[str, ...] = ()
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"
    interval_s: Seconds = 30.0
    timeout_s: Seconds = 20.0
    settle_s: Seconds = 15.0
    first_s: Annotated[float, Field(ge=0)] = 3_600.0

    @model_validator(mode="after")
    def selects(self) -> PullSection:
        """Each of its selectors is one."""
        self.native()
        return self

    def native(self) -> tuple[Selector, ...]:
        """The selectors in the words of the door."""
        from pipelines.ingest.selectors import selector_of

        try:
            return tuple(selector_of(text) for text in self.selectors)
        except InputError as error:
            raise ValueError(str(error)) from error
