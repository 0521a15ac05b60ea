"""Which convolutions of 8 bits cost more than they save.

Statistics, normalisation and everything else between convolutions stay float32 in any case.
"""

from __future__ import annotations

KEPT_FLOAT = ("stem", "head")
