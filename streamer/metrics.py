"""What a live service counts and times, as Prometheus metrics. No HTTP here: `render` gives the text to serve."""

from __future__ import annotations

from streamer.errors import MissingDependency

# Seconds. Fine where a frame's budget is, coarse where something is wrong.
LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32)
STAGES = ("decode", "queue", "style", "encode", "total")
DROPS = ("replaced", "refused", "failed")


class Metrics:
    """One service's figures, in a registry of their own. Thread-safe."""

    def __init__(self) -> None:
        """Raises MissingDependency without prometheus-client."""
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        except ImportError as error:
            raise MissingDependency("Metrics need prometheus-client: pip install '.[serve]'.") from error
        self.registry = of = CollectorRegistry()
        self.sessions = Gauge("streamer_sessions", "Live sessions at the moment.", registry=of)
        self.capacity = Gauge("streamer_sessions_capacity", "Live sessions that are admitted at most.", registry=of)
        self.refused = Counter("streamer_sessions_refused", "Sessions refused for lack of capacity.", registry=of)
        self.frames_in = Counter("streamer_frames_in", "Frames that sessions offered.", registry=of)
        self.frames_out = Counter("streamer_frames_out", "Styled frames handed back.", registry=of)
        self.frames_dropped = Counter(
            "streamer_frames_dropped", "Frames replaced by newer ones, refused, or failed.", ["reason"], registry=of
        )
        self.batch_size = Histogram("streamer_batch_size", "Frames in a batch.", buckets=BATCH_BUCKETS, registry=of)
        self.stage = Histogram(
            "streamer_stage_seconds",
            "Latency of a frame, stage by stage.",
            ["stage"],
            buckets=LATENCY_BUCKETS,
            registry=of,
        )
        self.device_seconds = Counter("streamer_device_seconds", "Time that the device spent on frames.", registry=of)
        self.lowered = Gauge("streamer_sessions_lowered", "Sessions styled below their size to keep pace.", registry=of)
        for stage in STAGES:  # so that each is there, at zero, before its first frame
            self.stage.labels(stage)
        for reason in DROPS:
            self.frames_dropped.labels(reason)

    def observe(self, stage: str, seconds: float) -> None:
        """A frame spent so long in a stage, one of STAGES."""
        self.stage.labels(stage).observe(seconds)

    def drop(self, reason: str) -> None:
        """A frame was dropped, for one of DROPS."""
        self.frames_dropped.labels(reason).inc()

    def render(self) -> tuple[bytes, str]:
        """All figures in Prometheus' text format, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self.registry), CONTENT_TYPE_LATEST
