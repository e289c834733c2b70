"""The commands and their options; what they do is imported when one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.aa_command import aa
from api.cli.backtest_command import backtest
from api.cli.change_command import change, changes
from api.cli.delivery_command import delivery
from api.cli.digest_command import digest
from api.cli.discover_command import discover
from api.cli.evidence_commands import explain, export, notify, replay
from api.cli.fit_command import fit
from api.cli.forecast_command import forecast
from api.cli.guard import guarded
from api.cli.incident_command import incidents
from api.cli.init_command import init
from api.cli.learn_command import learn
from api.cli.logs_command import logs
from api.cli.odd_command import odd
from api.cli.options import (
    Config,
    Data,
    Format,
    ModeName,
    OutcomeName,
    Packs,
    Person,
    Prometheus,
    Server,
    Shown,
    StageName,
)
from api.cli.packs_command import pack
from api.cli.patience import Every, OnInconclusive, Timeout, Wait
from api.cli.question import (
    Asked,
    AsOf,
    Attempt,
    Canary,
    Cluster,
    Clusters,
    Control,
    Deadline,
    Namespace,
    PolicyName,
    Revision,
    RolloutName,
    Service,
    StartedAt,
    Weight,
)
from api.cli.report_command import report
from api.cli.scan_command import scan
from api.cli.shadow_command import shadow
from api.cli.slo_command import slo
from api.cli.topics_command import topics
from api.cli.try_command import try_source
from api.cli.worker_command import worker

__all__ = ["app"]

app = typer.Typer(
    name="serinus",
    help="Is this change safe to go on?  Verdicts on canary rollouts from your own Prometheus.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(discover)
app.command("try")(try_source)
app.add_typer(init)
app.command()(backtest)
app.command()(aa)
app.command()(fit)
app.command()(forecast)
app.command()(odd)
app.add_typer(shadow)
for command in (export, replay, explain, notify):
    app.command()(command)
app.add_typer(pack)
app.add_typer(worker)
app.add_typer(topics)
app.add_typer(logs)
app.add_typer(slo)
app.add_typer(report)
app.command()(change)
app.command()(changes)
app.command()(scan)
app.command()(incidents)
app.command()(digest)
app.command()(learn)
app.command()(delivery)


@app.command()
@guarded
def serve(
    *,
    prometheus: Prometheus = None,
    port: Annotated[int | None, typer.Option(help="Port; 8080 if not given.")] = None,
    host: Annotated[str | None, typer.Option(help="Address; 127.0.0.1 if not given.")] = None,
    data: Data = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without a token.")
    ] = False,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Answer controllers and people over HTTP."""
    from api.cli.serving import serve as run

    flags = {
        "port": port,
        "host": host,
        "data": data,
        "insecure": insecure or None,
        "packs": packs,
    }
    return run(config=config, prometheus=prometheus, flags=flags)


@app.command()
@guarded
def check(  # noqa: PLR0913 - the question has that many fields
    *,
    service: Service,
    canary: Canary,
    control: Control = None,
    prometheus: Prometheus = None,
    server: Server = None,
    namespace: Namespace = None,
    cluster: Cluster = None,
    clusters: Clusters = None,
    rollout: RolloutName = None,
    revision: Revision = None,
    attempt: Attempt = None,
    started_at: StartedAt = None,
    deadline: Deadline = None,
    as_of: AsOf = None,
    weight: Weight = None,
    stage: Asked = StageName.STEP,
    policy: PolicyName = "default",
    wait: Wait = False,
    every: Every = "15s",
    timeout: Timeout = None,
    on_inconclusive: OnInconclusive = 3,
    shown: Shown = Format.TEXT,
    data: Data = None,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Ask once, or with --wait until it is decided.

    The exit code says the answer: 0 pass, 1 fail, 3 inconclusive, 2 wrong usage or configuration,
    4 could not ask. The answer is the judgement as the policy's mode lets it act.
    """
    from api.cli.checking import Asking, given
    from api.cli.checking import check as run

    asking = Asking(
        fields=given(
            service=service,
            canary=canary,
            control=control,
            namespace=namespace,
            cluster=cluster,
            rollout=rollout,
            revision=revision,
            attempt=attempt,
            started_at=started_at,
            deadline=deadline,
            as_of=as_of,
            weight=weight,
            stage=stage.value,
            policy=policy,
        ),
        wait=wait,
        every=every,
        timeout=timeout,
        on_inconclusive=on_inconclusive,
        as_json=shown is Format.JSON,
        clusters=clusters,
    )
    flags = {"data": data, "packs": packs}
    return run(asking, server=server, prometheus=prometheus, flags=flags, config=config)


@app.command()
@guarded
def override(
    *,
    attempt: Annotated[str, typer.Argument(help="The attempt, as a verdict names it.")],
    outcome: Annotated[OutcomeName, typer.Option(help="The decision.")],
    reason: Annotated[str, typer.Option(help="Why; written to the audit log.")],
    lasting: Annotated[
        str, typer.Option("--for", help="How long it stands, such as 45m, 2h or 1d.")
    ],
    person: Person = None,
    server: Server = None,
    data: Data = None,
) -> int:
    """Decide for an attempt, in place of the statistics; it is audited and expires."""
    from api.cli.deciding import override as run

    decision = {"outcome": outcome.value, "reason": reason, "for": lasting, "person": person}
    return run(attempt, decision, server=server, data=data)


@app.command()
@guarded
def mode(
    *,
    mode: Annotated[
        ModeName | None, typer.Argument(help="What controllers are told; none shows it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="For all services.")] = False,
    service: Annotated[str | None, typer.Option(help="For one service.")] = None,
    lasting: Annotated[
        str, typer.Option("--for", help="How long it stands, such as 45m, 2h or 1d.")
    ] = "1h",
    reason: Annotated[str, typer.Option(help="Why; written to the audit log.")] = "",
    person: Person = None,
    server: Server = None,
    data: Data = None,
) -> int:
    """Break the glass: change what controllers are told, for a while. Without a mode: show it."""
    from api.cli.deciding import mode as run
    from api.cli.deciding import modes

    if mode is None:
        return modes(server=server, data=data)
    decision = {
        "mode": None if mode is ModeName.END else mode.value,
        "all": every,
        "service": service,
        "for": lasting,
        "reason": reason,
        "person": person,
    }
    return run(decision, server=server, data=data)


@app.command()
@guarded
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End by itself.")] = False,
    fault: Annotated[
        str, typer.Option(help="errors, latency, leak, one-pod, logs; none.")
    ] = "errors",
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Scrape with a real Prometheus.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the gate.")] = None,
) -> int:
    """Watch a healthy rollout pass and a bad one be stopped, on real processes."""
    from api.demo import run

    return run(once=once, fault=fault, prometheus=prometheus, port=port)


@app.command()
@guarded
def openapi(
    *, output: Annotated[Path | None, typer.Option(help="File; none prints it.")] = None
) -> int:
    """Write the description of the HTTP interface."""
    from api.cli.describing import write

    return write(output)


@app.command()
@guarded
def version() -> int:
    """Say which serinus and which engine this is."""
    from api.version import serinus_version
    from detector.gate.version import ENGINE

    print(f"serinus {serinus_version()} (engine {ENGINE})")
    return 0
