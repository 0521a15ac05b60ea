"""What this machine is, as far as it matters for how fast something runs."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Virtual machines of several generations give their processors one name; these lines tell them apart.
_TELLING = ("cpu family", "model", "stepping", "flags", "Features", "CPU implementer", "CPU variant", "CPU part")


def cpu_model() -> str:
    """What the processor is called."""
    return _first_processor().get("model name") or platform.processor() or platform.machine()


def cpu_identity() -> str:
    """The processor's name, and a digest of what else says which one it is."""
    known = _first_processor()
    telling = "\n".join(f"{name}: {known[name]}" for name in _TELLING if name in known)
    return f"{cpu_model()} {hashlib.sha256(telling.encode()).hexdigest()[:8]}"


def _first_processor() -> dict[str, str]:
    """What the system says of it; nothing where it does not say."""
    try:
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = text.partition("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def package_version(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
