"""DOCX, and its kin DOCM, DOTX and DOTM: what Word shows, in reading order."""

from indexing.convert.word.document import convert_docx

__all__ = ["convert_docx"]
