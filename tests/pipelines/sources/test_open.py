"""Opening a source by its kind, and plug-ins of third parties that are not what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.errors import ConfigError
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import open_source
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings

GOOD = """
from pipelines.testing import FakeSource

def make(settings):
    source = FakeSource()
    source.url = settings.url
    return source

class Half:
    def __init__(self, settings): pass
    def read(self, queries, start, end): return []
    def metrics(self, *, timeout_s): return frozenset()
    def series(self, queries, start, end, *, timeout_s): return []
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with three entry points, as pip would leave it."""
    (tmp_path / "canary_plugin.py").write_text(GOOD, encoding="utf-8")
    info = tmp_path / "canary_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: canary-plugin\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[serinus.sources]\ngood = canary_plugin:make\nhalf = canary_plugin:Half\n"
        "lost = canary_plugin:nowhere\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_own_kinds() -> None:
    """Prometheus by default; the embedded store for the demo."""
    source = open_source(SourceSettings())
    assert isinstance(source, PrometheusSource)
    source.close()
    assert isinstance(open_source(SourceSettings(kind="memory")), MemorySource)


@pytest.mark.usefixtures("plugins")
def test_plugin_gets_the_settings() -> None:
    """A third party adds a source without touching this tree."""
    source = open_source(SourceSettings(kind="good", url="http://tsdb.example"))
    assert getattr(source, "url", None) == "http://tsdb.example"


@pytest.mark.usefixtures("plugins")
def test_plugin_that_is_no_source_is_named_with_the_port() -> None:
    """At start, not in the middle of a rollout; both sides of the contract are in the text."""
    with pytest.raises(ConfigError) as caught:
        open_source(SourceSettings(kind="half"))
    text = str(caught.value)
    assert "'half' (canary_plugin:Half)" in text
    assert "MetricSource.read must take" in text
    assert "MetricCatalog.label_values is missing" in text
    assert "metrics" not in text


@pytest.mark.usefixtures("plugins")
def test_plugin_that_does_not_load_is_named() -> None:
    """Which of the installed packages it is, one sees at once."""
    with pytest.raises(ConfigError, match=r"'lost'.*cannot be loaded"):
        open_source(SourceSettings(kind="lost"))


@pytest.mark.usefixtures("plugins")
def test_unknown_kind_lists_what_there_is() -> None:
    """A typing error in the configuration."""
    with pytest.raises(ConfigError, match="'promethius' is unknown; there are good, half"):
        open_source(SourceSettings(kind="promethius"))
