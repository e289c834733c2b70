"""serinus from Python: a running one asked, or its engine used, with frames of pandas in and out.

>>> from api import client
>>> counts = client.examples.rollout(seed=1, errors=0.02)
>>> print(client.judge(counts).outcome)
fail
"""

from __future__ import annotations

from api.cli.guard import CouldNotAskError
from api.client import examples
from api.client.assessing import CapacityReport, assess, resource
from api.client.backtesting import Backtest, Rollout, backtest
from api.client.chart import Chart, chart
from api.client.detecting import detect, score
from api.client.forecasting import forecast
from api.client.judging import follow, judge
from api.client.running import Client
from api.client.verdict import Verdict
from detector.errors import ConfigError, InputError, NotFoundError, SerinusError

__all__ = [
    "Backtest",
    "CapacityReport",
    "Chart",
    "Client",
    "ConfigError",
    "CouldNotAskError",
    "InputError",
    "NotFoundError",
    "Rollout",
    "SerinusError",
    "Verdict",
    "assess",
    "backtest",
    "chart",
    "detect",
    "examples",
    "follow",
    "forecast",
    "judge",
    "resource",
    "score",
]
