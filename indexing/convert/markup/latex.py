"""LaTeX as it is printed: headings, paragraphs, lists, tables and formulas, without the commands."""

import re
import unicodedata

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import Cell, table_lines
from indexing.convert.tables.grid import Row

_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "c": "\u0327", "v": "\u030c",
            "=": "\u0304", ".": "\u0307", "u": "\u0306", "H": "\u030b", "r": "\u030a"}  # fmt: skip
_LETTERS = {"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł",
            "L": "Ł", "i": "ı", "ldots": "…", "dots": "…", "textendash": "–", "textemdash": "—", "textbackslash": "\\",
            "LaTeX": "LaTeX", "TeX": "TeX", "S": "§", "copyright": "©", "pounds": "£", "euro": "€", "times": "×",
            "cdot": "·", "pm": "±", "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥", "neq": "≠", "approx": "≈",
            "alpha": "α",
            "beta": "β", "gamma": "γ", "delta": "δ", "lambda": "λ", "mu": "μ", "pi": "π", "sigma": "σ", "omega": "ω",
            "infty": "∞", "rightarrow": "→", "to": "→", "circ": "°", "degree": "°", "percent": "%"}  # fmt: skip
_DROPPED = ("label", "cite", "citep", "citet", "ref", "eqref", "pageref", "index", "vspace", "hspace",
            "includegraphics",
            "usepackage", "documentclass", "bibliographystyle", "bibliography", "input", "include", "setlength",
            "addtolength", "setcounter", "pagestyle", "thispagestyle", "hypersetup", "color", "textcolor",
            "graphicspath",
            "newcommand", "renewcommand", "providecommand")  # fmt: skip
_TABLES = re.compile(r"\\begin\{(tabular[x*]?|longtable|array)\}(.*?)\\end\{\1\}", re.DOTALL)
_LISTS = re.compile(r"\\((?:begin|end)\{(?:enumerate|itemize|description)\}|item\b)")
_RULES = re.compile(
    r"\\(hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot)\b|\\(cline|cmidrule)(\([^)]*\))?\{[^}]*\}"
)
_MAX_PASSES = 12


def convert_latex(data: bytes) -> Extracted:
    source = decode(data)
    source = re.sub(r"(?<!\\)%[^\n]*\n[ \t]*", "\n", source + "\n")
    told = {name: _argument(source, name) for name in ("title", "author", "date")}
    begin = re.search(r"\\begin\{document\}", source)
    end = re.search(r"\\end\{document\}", source)
    body = source[begin.end() if begin else 0 : end.start() if end else None]
    builder = TextBuilder()
    title = one_line(_plain(told["title"])) if told["title"] else None
    if title:
        builder.heading(title, 1)
    for name in ("author", "date"):
        builder.block(_plain(told[name]).replace("\n", ", ") if told[name] else "")
    place = 0
    for match in _TABLES.finditer(body):
        _paragraphs(body[place : match.start()], builder)
        builder.lines(table_lines(_rows(match.group(2))))
        place = match.end()
    _paragraphs(body[place:], builder)
    if title is None and builder.headings:
        title = builder.headings[0][2]
    return Extracted(builder.text(), MIME_TYPES["latex"], title, builder.headings)


def _argument(source: str, name: str) -> str:
    start = re.search(rf"\\{name}\s*(?:\[[^\]]*\])?\{{", source)
    if not start:
        return ""
    depth, index = 1, start.end()
    while index < len(source) and depth and index - start.end() < 5_000:
        depth += {"{": 1, "}": -1}.get(source[index], 0) if source[index - 1] != "\\" else 0
        index += 1
    return source[start.end() : index - 1]


def _paragraphs(text: str, builder: TextBuilder) -> None:
    marked = re.sub(
        r"\\(part|chapter|section|subsection|subsubsection|paragraph)\*?\s*(?:\[[^\]]*\])?\{((?:[^{}]|\{[^{}]*\})*)\}",
        lambda match: f"\n\n\x01{_LEVELS[match.group(1)]}{match.group(2)}\n\n",
        text,
    )
    counters: list[int] = []
    for paragraph in re.split(r"\n[ \t]*\n", marked):
        paragraph = paragraph.strip()
        if paragraph.startswith("\x01"):
            builder.heading(_plain(paragraph[2:]), int(paragraph[1]))
            continue
        pieces = _LISTS.split(paragraph)
        separator = "\n\n"
        for number, piece in enumerate(pieces):
            if number % 2:
                if piece.startswith("begin"):
                    counters.append(0 if "enumerate" in piece else -1)
                elif piece.startswith("end") and counters:
                    counters.pop()
                continue
            label = ""
            if number and pieces[number - 1] == "item" and counters and counters[-1] >= 0:
                counters[-1] += 1
                label = f"{counters[-1]}. "
            body = re.sub(r"^\}|^\s*\[([^\]]*)\]", r"\1", piece) if number else piece
            shown = _plain(body)
            if shown:
                builder.block(label + " ".join(shown.split("\n")), separator)
                separator = "\n"


def _rows(body: str) -> list[Row]:
    body = re.sub(r"^\s*(\[[^\]]*\])?(\{[^{}]*\})?\{(?:[^{}]|\{[^{}]*\})*\}", "", body)
    body = _RULES.sub("", body)
    rows = []
    for line in re.split(r"\\\\(?:\[[^\]]*\])?", body):
        row = Row()
        for cell in re.split(r"(?<!\\)&", line):
            wide = re.match(r"\s*\\multicolumn\{(\d{1,3})\}\{[^}]*\}\{((?:[^{}]|\{[^{}]*\})*)\}", cell)
            made = Cell(_plain(wide.group(2) if wide else cell), int(wide.group(1)) if wide else 1)
            row.extend([made] * made.columns)
        rows.append(row)
    return rows


def _plain(text: str) -> str:
    """One paragraph without commands."""
    text = re.sub(r"\\(" + "|".join(_DROPPED) + r")\*?(?:\s*\[[^\]]*\])*(?:\{(?:[^{}]|\{[^{}]*\})*\})*", "", text)
    text = re.sub(r"\\(begin|end)\{[^}]*\}(\[[^\]]*\])?", " ", text)
    text = re.sub(r"\\href\{[^{}]*\}\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\([%&$#_{}])", lambda match: {"{": "\x02", "}": "\x03", "$": "\x04"}.get(match[1], match[1]), text)
    text = re.sub(r"\\\\(\[[^\]]*\])?|\\newline\b", "\n", text)
    text = re.sub(r"\\(['`^\"~=.])\s*\{?\\?([a-zA-Z])\}?", _accented, text)
    text = re.sub(r"\\([cvuHr])(?:\{([a-zA-Z])\}|\s+([a-zA-Z]))", lambda m: _accent(m[1], m[2] or m[3]), text)
    for _ in range(_MAX_PASSES):
        before = text
        text = re.sub(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)
        text = re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", text)
        text = re.sub(
            r"([\^_])\{([^{}]*)\}", lambda m: m[1] + (m[2] if m[2].lstrip("-").isalnum() else f"({m[2]})"), text
        )
        text = re.sub(r"\\footnote\{([^{}]*)\}", r" (\1)", text)
        text = re.sub(r"\\[a-zA-Z]+\*?(?:\[[^\]]*\])?\{([^{}]*)\}", r"\1", text)
        if text == before:
            break
    text = re.sub(r"\\([a-zA-Z]+)\*?(?:\{\})?[ \t]?", lambda m: _LETTERS.get(m[1], ""), text)
    text = re.sub(r"\\[,;:! ]", " ", text).replace("\\(", "").replace("\\)", "").replace("\\[", "").replace("\\]", "")
    text = re.sub(r"(?<!\x04)\$", "", text)
    text = re.sub(r"[{}]", "", text).replace("~", "\xa0").replace("``", "“").replace("''", "”")
    text = text.replace("---", "—").replace("--", "–").replace("\x02", "{").replace("\x03", "}").replace("\x04", "$")
    return re.sub(r"[ \t]+", " ", re.sub(r" ?\n ?", "\n", text)).strip()


def _accented(match: "re.Match[str]") -> str:
    return _accent(match.group(1), match.group(2))


def _accent(mark: str, letter: str) -> str:
    return unicodedata.normalize("NFC", letter + _ACCENTS[mark])
