"""
PDF as a person reads it, by PDFium.

characters (PDFium's, with their places) -> fragments (words side by side) -> columns (reading order) -> rows -> tables
and paragraphs -> text, with the place of every word.
"""

from indexing.convert.pdf.document import convert_pdf

__all__ = ["convert_pdf"]
