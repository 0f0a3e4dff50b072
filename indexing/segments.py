"""The earlier place of `indexing.chunking.segments`, kept for code outside this project that imports it."""

from indexing.chunking.segments import Border, Unit, units

__all__ = ["Border", "Unit", "units"]
