"""Runs the Dockerfile without Docker: its COPY and RUN instructions in a new folder and a new virtual environment.

CI has no Docker engine. So far as a command works here, it works there; the base image and USER are left to Docker.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def instructions() -> list[tuple[str, str]]:
    """Each instruction and the rest of its line, continued lines joined."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(None, 1)[1]) for line in lines]


class Builder:
    """Follows instructions below a folder that stands for the image's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root
        venv.create(root / "venv", with_pip=True)
        self.environment = os.environ | {"PATH": f"{root / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def follow(self, name: str, rest: str) -> None:
        """Do what an instruction says; those that only describe the image say nothing to do."""
        if name in ("ARG", "ENV"):
            self.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif name == "WORKDIR":
            self.place = self.root / rest.lstrip("/")
            self.place.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *sources, target = rest.split()
            for source in sources:
                self.copy(ROOT / source, self.place / target)
        elif name == "RUN":
            self.run(rest.replace("/opt/streamer", str(self.root / "opt" / "streamer")))

    def copy(self, source: Path, target: Path) -> None:
        """As COPY does: a folder's contents into a folder, a file into a folder or under a name."""
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(source, target)

    def run(self, command: str, **more: str) -> None:
        """Run a command line where the builder is, as `/bin/sh -c` does."""
        print(f"+ {command}", flush=True)  # noqa: T201
        subprocess.run(["/bin/sh", "-ec", command], cwd=self.place, env=self.environment | more, check=True)


def main() -> None:
    """Build, then try what the image would be started with."""
    with tempfile.TemporaryDirectory() as folder:
        builder = Builder(Path(folder))
        for name, rest in instructions():
            builder.follow(name, rest)
            if name == "RUN" and "$DEVICE" in rest:  # the other branch: resolved, but 3 GB are not fetched
                builder.run(rest.replace("pip install", "pip install --dry-run --quiet"), DEVICE="gpu")
        builder.run("streamer --version && streamer serve --help >/dev/null && streamer styles")
        builder.run("! python -m streamer.cli.probe 2>/dev/null", STREAMER_PORT="9")


if __name__ == "__main__":
    main()
