"""`serinus worker`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Format, Packs, Shown

__all__ = ["worker"]

worker = typer.Typer(
    name="worker",
    help="Judge metrics from Kafka, as one of many; state is kept in PostgreSQL.",
    invoke_without_command=True,
)
Brokers = Annotated[
    list[str] | None,
    typer.Option("--kafka", metavar="HOST:PORT", help="A broker, in place of the file's."),
]
Store = Annotated[str | None, typer.Option(help="PostgreSQL, as postgresql://user@host/name.")]


@worker.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    *,
    servers: Brokers = None,
    store: Store = None,
    name: Annotated[str | None, typer.Option(help="What people see; else the host.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of /metrics and /readyz; 8081 if not given.")
    ] = None,
    packs: Packs = None,
    config: Config = None,
) -> None:
    """Work until SIGTERM or Ctrl-C: then what is held is kept, and the group is left.

    Exit codes: 0 it was told to end, 2 the configuration is wrong, 4 Kafka or PostgreSQL stayed
    away at the start, or the worker broke.
    """
    if context.invoked_subcommand is None:
        _work(servers=servers, store=store, name=name, port=port, packs=packs, config=config)


@guarded
def _work(
    *,
    servers: list[str] | None,
    store: str | None,
    name: str | None,
    port: int | None,
    packs: Packs,
    config: Config,
) -> int:
    from api.cli.worker_run import work

    return work(config, servers=servers, store=store, packs=packs, own={"name": name, "port": port})


@worker.command()
@guarded
def status(
    *,
    servers: Brokers = None,
    store: Store = None,
    shown: Shown = Format.TEXT,
    config: Config = None,
) -> int:
    """Who works on which partition, how far behind it is, and when it was last kept.

    Exit codes: 0 all partitions are worked on, 1 one is not or stands still, 2 the configuration is
    wrong, 4 PostgreSQL did not answer.
    """
    from api.cli.worker_status import status as run_status

    return run_status(config, servers=servers, store=store, as_json=shown is Format.JSON)
