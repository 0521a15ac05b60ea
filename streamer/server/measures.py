"""What the HTTP layer adds to the service's metrics."""

from __future__ import annotations

from streamer.metrics import Metrics

_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")


class Measures:
    """Requests by route, and jobs by state. One for each Metrics."""

    def __init__(self, metrics: Metrics) -> None:
        from prometheus_client import Counter, Gauge

        self._requests = Counter(
            "streamer_http_requests", "Requests.", ["method", "route", "status"], registry=metrics.registry
        )
        self._jobs = Gauge("streamer_jobs", "Uploads of the REST interface.", ["state"], registry=metrics.registry)
        self._ready = Gauge("streamer_ready", "1 while new sessions are taken.", registry=metrics.registry)

    def count_request(self, method: str, route: str, status: int) -> None:
        """An answer was given. Methods that nobody should use are counted as one, for strangers can invent them."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()

    def look(self, jobs: dict[str, int], ready: bool) -> None:
        """Take down what is asked for rather than counted."""
        for state, number in jobs.items():
            self._jobs.labels(state).set(number)
        self._ready.set(ready)
