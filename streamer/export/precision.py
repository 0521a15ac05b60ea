"""Which convolutions stay float32 where others get 8 bits; docs/export.md has the measurements.

Statistics, normalisation and everything else between convolutions stay float32 in any case.
"""

from __future__ import annotations

# The first one looks at pixels and the last one with a normalisation of its own at pixels again: together they cause
# most of what 8 bits lose, for a tenth of the time that 8 bits gain.
KEPT_FLOAT = ("stem", "head")
