"""Which convolutions stay float32 where others get 8 bits; docs/export.md has the measurements.

Statistics, normalisation and everything else between convolutions stay float32 in any case.
"""

from __future__ import annotations

# `stem` reads the pixels and `head` is the last that is normalised: together they cause a third of what 8 bits lose,
# and keeping them costs a quarter of what 8 bits save.
KEPT_FLOAT = ("stem", "head")
