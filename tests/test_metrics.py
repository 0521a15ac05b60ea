"""What a service counts, as Prometheus reads it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamer.errors import MissingDependency
from streamer.metrics import DROPS, STAGES, Metrics


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(metrics.render()[0].decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_everything_is_there_before_the_first_frame() -> None:
    found = values(Metrics())
    for stage in STAGES:
        assert found["streamer_stage_seconds_count", stage] == 0
    for reason in DROPS:
        assert found["streamer_frames_dropped_total", reason] == 0
    for name in ("sessions", "frames_in_total", "frames_out_total", "device_seconds_total", "batch_size_count"):
        assert found[f"streamer_{name}",] == 0


def test_latency_goes_to_its_stage_and_its_bucket() -> None:
    metrics = Metrics()
    metrics.observe("style", 0.025)
    metrics.observe("style", 0.5)
    found = values(metrics)
    assert found["streamer_stage_seconds_count", "style"] == 2
    assert found["streamer_stage_seconds_sum", "style"] == pytest.approx(0.525)
    assert found["streamer_stage_seconds_bucket", "0.03", "style"] == 1
    assert found["streamer_stage_seconds_count", "queue"] == 0


def test_two_services_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.drop("replaced")
    assert values(first)["streamer_frames_dropped_total", "replaced"] == 1
    assert values(second)["streamer_frames_dropped_total", "replaced"] == 0


def test_without_prometheus_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingDependency, match="pip install"):
        Metrics()


def test_live_styling_needs_no_prometheus() -> None:
    code = "import streamer.live, streamer.metrics, sys; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
