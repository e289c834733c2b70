"""`serinus topics`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Format, Shown

__all__ = ["topics"]

topics = typer.Typer(name="topics", help="The topics of Kafka.", no_args_is_help=True)


@topics.callback()
def group() -> None:
    """The topics of Kafka."""


@topics.command()
@guarded
def create(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make nothing; say what is there.")
    ] = False,
    servers: Annotated[
        list[str] | None,
        typer.Option("--kafka", metavar="HOST:PORT", help="A broker, in place of the file's."),
    ] = None,
    shown: Shown = Format.TEXT,
    config: Config = None,
) -> int:
    """Make the topics that the configuration names and that are not there yet.

    What is there is never changed; what of it differs is told. Exit codes: 0 all is there as asked,
    1 something differs or (with --dry-run) is absent, 2 the configuration is wrong, 4 Kafka did not
    answer or refused.
    """
    from api.cli.topics import create_topics

    return create_topics(config, servers=servers, is_dry=dry_run, as_json=shown is Format.JSON)
