"""Which convolutions stay float32 where others get 8 bits; docs/export.md has the measurements.

Statistics, normalisation and everything else between convolutions stay float32 in any case.
"""

from __future__ import annotations

from streamer.trunk import Trunk

# `stem` reads the pixels and `head` is the last that is normalised: together they cause a third of what 8 bits lose,
# and keeping them costs a quarter of what 8 bits save.
KEPT_FLOAT = ("stem", "head")


def kept_float(trunk: Trunk, precision: str) -> tuple[str, ...]:
    """Those of LiteRT files: none where the trunk learnt with the very rounding that `dynamic` is."""
    return () if precision == "dynamic" and trunk.is_for_int8 else KEPT_FLOAT
