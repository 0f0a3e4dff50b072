"""Text with marks of its own: XML, reStructuredText, Org, LaTeX."""

from indexing.convert.markup.latex import convert_latex
from indexing.convert.markup.org import convert_org
from indexing.convert.markup.rst import convert_rst
from indexing.convert.markup.xml import convert_xml

__all__ = ["convert_latex", "convert_org", "convert_rst", "convert_xml"]
