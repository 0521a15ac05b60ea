"""Pictures and videos of strangers, each styled in a process of its own with bounds on memory, time and size."""

from streamer.jobs.process import JobFailed
from streamer.jobs.store import Job, JobLimits, JobStore

__all__ = ["Job", "JobFailed", "JobLimits", "JobStore"]
