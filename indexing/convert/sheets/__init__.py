"""XLSX, and its kin XLSM and XLTX: what each sheet shows, row by row."""

from indexing.convert.sheets.book import convert_xlsx

__all__ = ["convert_xlsx"]
