"""One model for the tables of every format: a grid of cells (`grid`), its names (`headers`), its text (`lines`)."""

from indexing.convert.tables.grid import Cell, expand
from indexing.convert.tables.lines import table_lines

__all__ = ["Cell", "expand", "table_lines"]
