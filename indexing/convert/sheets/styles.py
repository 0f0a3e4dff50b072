"""Which number format, and which weight, does a cell's style number stand for?"""

from typing import Any

from indexing.convert.office.package import is_on, local
from indexing.convert.sheets.formats import BUILT_IN


class CellStyles:
    """
    :param root: of styles.xml; None where there is none.
    """

    def __init__(self, root: Any | None) -> None:
        self._formats: list[str] = []
        self._bold: list[bool] = []
        if root is None:
            return
        codes = dict(BUILT_IN)
        fonts: list[bool] = []
        for element in root.iter():
            name = local(element)
            if name == "numFmt" and element.get("numFmtId", "").isdigit():
                if local(element.getparent()) == "numFmts":
                    codes[int(element.get("numFmtId"))] = element.get("formatCode", "General")
            elif name == "fonts":
                fonts = [is_on(next((one for one in font if local(one) == "b"), None)) for font in element]
            elif name == "cellXfs":
                for form in element:
                    number, font = form.get("numFmtId", "0"), form.get("fontId", "0")
                    self._formats.append(codes.get(int(number), "General") if number.isdigit() else "General")
                    self._bold.append(font.isdigit() and int(font) < len(fonts) and fonts[int(font)])

    def format_of(self, style: int) -> str:
        return self._formats[style] if 0 <= style < len(self._formats) else "General"

    def is_bold(self, style: int) -> bool:
        return 0 <= style < len(self._bold) and self._bold[style]
