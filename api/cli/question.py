"""The fields of a question as options of `serinus check`."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import StageName

__all__ = [
    "AsOf",
    "Asked",
    "Attempt",
    "Canary",
    "Cluster",
    "Clusters",
    "Control",
    "Deadline",
    "Namespace",
    "PolicyName",
    "Revision",
    "RolloutName",
    "Service",
    "StartedAt",
    "Weight",
]

Service = Annotated[str, typer.Option(help="The service that is rolled out.")]
Canary = Annotated[str, typer.Option(help="PromQL label selector of the canary.")]
Control = Annotated[str | None, typer.Option(help="Selector of the control; found if not given.")]
Namespace = Annotated[str | None, typer.Option(help="Kubernetes namespace.")]
Cluster = Annotated[str | None, typer.Option(help="Cluster.")]
Clusters = Annotated[
    str | None,
    typer.Option(help="Clusters of one rollout, parted by commas: the worst answer counts."),
]
RolloutName = Annotated[str | None, typer.Option(help="Name of the rollout.")]
Revision = Annotated[str | None, typer.Option(help="What is rolled out.")]
Attempt = Annotated[str | None, typer.Option(help="Your name of this try.")]
StartedAt = Annotated[
    str | None, typer.Option(help="Begin of the canary, ISO 8601 or unix seconds.")
]
Deadline = Annotated[str | None, typer.Option(help="When undecided becomes final.")]
AsOf = Annotated[str | None, typer.Option(help="The answer that was due then.")]
Weight = Annotated[str | None, typer.Option(help="The canary's share of the traffic, per cent.")]
Asked = Annotated[StageName, typer.Option(help="May it go on (step), or become stable (final)?")]
PolicyName = Annotated[str, typer.Option(help="A policy by name.")]
