"""`streamer bench --live`: the live service with real peers over the network stack, in processes of their own.

How late a picture is, is read from the picture: each carries its number, and both ends share the machine's clock.
"""

from streamer.bench.live.run import CASES, run_live

__all__ = ["CASES", "run_live"]
