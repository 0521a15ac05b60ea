"""`python -m streamer.cli.probe`: a container's health check. Exit code 0 when the service here says that it is well.

It asks on loopback, at the port of STREAMER_PORT; a certificate, if there is one, is for other names than that.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.error
import urllib.request

TIMEOUT = 4.0  # seconds


def main() -> int:
    """Ask once; returns the exit code."""
    scheme = "https" if os.environ.get("STREAMER_SSL_CERTFILE") else "http"
    url = f"{scheme}://localhost:{os.environ.get('STREAMER_PORT') or 8000}/healthz"
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    without_proxy = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    )
    try:
        with without_proxy.open(url, timeout=TIMEOUT):
            return 0
    except (urllib.error.URLError, OSError) as error:
        print(f"streamer: {url}: {error}", file=sys.stderr)  # noqa: T201  what `docker inspect` shows
        return 1


if __name__ == "__main__":
    sys.exit(main())
