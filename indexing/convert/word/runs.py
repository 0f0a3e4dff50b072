"""The text of one paragraph: runs with their tabs and breaks, fields, raised digits, equations, form choices."""

from dataclasses import dataclass, field
from typing import Any

from indexing.convert.office.equations import M, equation
from indexing.convert.office.package import MC, choice, is_on, local
from indexing.convert.raised import lowered, raised
from indexing.convert.word.names import VAL, W, number_of
from indexing.convert.word.styles import Styles

HARD_BREAK = "\x0c"  # a page break that somebody set
SOFT_BREAK = "\x0b"  # where Word last ended a page
_SKIPPED = {
    "pPr",
    "rPr",
    "del",
    "moveFrom",
    "instrText",
    "delText",
    "rt",
    "sectPr",
    "Fallback",
    "sdtPr",
    "delInstrText",
}
_NUMBERS_OF_PAGES = ("PAGE", "NUMPAGES", "SECTIONPAGES")
_SYMBOLS = dict(  # the Symbol font's letters; its other signs are rare in text
    zip(
        range(0x41, 0x7B),
        "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\u203eαβχδεφγηιϕκλμνοπθρστυϖωξψζ",
        strict=True,
    )
) | {0xB0: "°", 0xB1: "±", 0xB2: "″", 0xB3: "≥", 0xA3: "≤", 0xB4: "×", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBB: "≈",
     0xA5: "∞", 0xAE: "→", 0xAC: "←", 0xD6: "√", 0xE5: "∑", 0xF2: "∫", 0xD2: "®", 0xD3: "©", 0xD4: "™"}  # fmt: skip
_DINGBATS = {0xFC: "✓", 0xFE: "☑", 0xA8: "☐", 0xFD: "☒", 0x6F: "☐", 0x78: "☒", 0xFB: "✗", 0xE0: "→", 0x4A: "☺"}


@dataclass
class Inline:
    """
    :param text: with `HARD_BREAK` and `SOFT_BREAK` where pages end.
    :param boxes: text boxes that hang on the paragraph.
    :param drawings: charts, diagrams and pictures in it.
    :param hidden: characters of hidden text that were left out.
    :param objects: embedded objects that are not read.
    :param prompts: fields of a form that nobody has filled in.
    """

    text: str = ""
    boxes: list[Any] = field(default_factory=list)
    drawings: list[Any] = field(default_factory=list)
    hidden: int = 0
    objects: int = 0
    prompts: int = 0


class InlineReader:
    """
    :param read_hidden: hidden text is text like any other.
    """

    def __init__(self, styles: Styles, read_hidden: bool = False) -> None:
        self._styles = styles
        self._read_hidden = read_hidden

    def read(self, paragraph: Any) -> Inline:
        inline = Inline()
        parts: list[str] = []
        field_codes: list[str] = []  # of the fields that are open, innermost last
        results: list[bool] = []  # whether their results are read
        stack = list(reversed(paragraph))
        while stack:
            node = stack.pop()
            name = local(node)
            if name == "fldChar":
                self._field(node, field_codes, results, parts)
            elif name == "instrText" and field_codes:
                field_codes[-1] += "".join(node.itertext())
            elif name == "fldSimple":
                if not _counts_pages(node.get(f"{W}instr", "")):
                    stack.extend(reversed(node))
            elif name == "r":
                if all(results):
                    self._run(node, inline, parts, stack)
                else:
                    stack.extend(child for child in reversed(node) if local(child) in ("fldChar", "instrText"))
            elif node.tag == f"{MC}AlternateContent":
                stack.extend(reversed(choice(node)))
            elif name == "sdt" and is_on(node.find(f"{W}sdtPr/{W}showingPlcHdr")):
                inline.prompts += 1  # "Click here to enter text"
            elif node.tag in (f"{M}oMath", f"{M}oMathPara"):
                parts.append(equation(node))
            elif name not in _SKIPPED:
                stack.extend(reversed(node))
        inline.text = "".join(parts)
        return inline

    def _run(self, run: Any, inline: Inline, parts: list[str], stack: list[Any]) -> None:
        properties = run.find(f"{W}rPr")
        style = self._styles.of(properties.find(f"{W}rStyle") if properties is not None else None)
        position, hidden = style.position, style.hidden
        if properties is not None:
            align, vanish = properties.find(f"{W}vertAlign"), properties.find(f"{W}vanish")
            position = align.get(VAL) if align is not None else position
            hidden = is_on(vanish) if vanish is not None else hidden
        own: list[str] = []
        for child in run:
            self._piece(child, inline, own)
        text = "".join(own)
        if hidden and not self._read_hidden:
            inline.hidden += len(text.strip())
        elif position in ("superscript", "subscript"):
            before = "".join(parts[-3:])[-40:]
            parts.append(raised(text, before) if position == "superscript" else lowered(text, before))
        else:
            parts.append(text)
        stack.extend(child for child in reversed(run) if local(child) in ("fldChar", "instrText"))

    def _piece(self, node: Any, inline: Inline, parts: list[str]) -> None:
        name = local(node)
        if name == "t":
            parts.append("".join(node.itertext()))
        elif name in ("tab", "ptab"):
            parts.append("\t")
        elif name == "lastRenderedPageBreak":
            parts.append(SOFT_BREAK)
        elif name in ("br", "cr"):
            parts.append(HARD_BREAK if node.get(f"{W}type") == "page" else "\n")
        elif name == "noBreakHyphen":
            parts.append("-")
        elif name == "sym":
            parts.append(_symbol(node))
        elif name == "ruby":
            parts.extend("".join(text.itertext()) for base in node.iter(f"{W}rubyBase") for text in base.iter(f"{W}t"))
        elif name == "AlternateContent":
            for child in choice(node):
                self._piece(child, inline, parts)
        elif name in ("drawing", "pict", "object"):
            self._drawing(node, inline)

    def _drawing(self, node: Any, inline: Inline) -> None:
        boxes = [box for box in node.iter(f"{W}txbxContent") if not _inside_fallback(box, node)]
        outer = [box for box in boxes if not any(box is not other and _within(box, other) for other in boxes)]
        inline.boxes.extend(outer)
        if local(node) == "object":
            inline.objects += 1
        elif not outer:
            inline.drawings.append(node)

    def _field(self, node: Any, codes: list[str], results: list[bool], parts: list[str]) -> None:
        kind = node.get(f"{W}fldCharType")
        if kind == "begin":
            codes.append("")
            results.append(True)
            parts.append(_form_choice(node))
        elif kind == "separate" and codes:
            results[-1] = not _counts_pages(codes[-1])
        elif kind == "end" and codes:
            codes.pop()
            results.pop()


def _counts_pages(code: str) -> bool:
    return code.split()[:1] != [] and code.split()[0].upper() in _NUMBERS_OF_PAGES


def _form_choice(field_char: Any) -> str:
    """What a drop-down list or a check box of the old forms shows; nothing for other fields."""
    options = field_char.find(f"{W}ffData/{W}ddList")
    if options is not None:
        entries = [entry.get(VAL, "") for entry in options.iter(f"{W}listEntry")]
        chosen = number_of(options.find(f"{W}result"), number_of(options.find(f"{W}default"), 0))
        return entries[chosen] if chosen < len(entries) else ""
    box = field_char.find(f"{W}ffData/{W}checkBox")
    if box is None:
        return ""
    state = box.find(f"{W}checked")
    return "☒" if is_on(state if state is not None else box.find(f"{W}default")) else "☐"


def _symbol(node: Any) -> str:
    try:
        code = int(node.get(f"{W}char", ""), 16) & 0xFFF
    except ValueError:
        return ""
    code -= 0xF00 if code >= 0xF00 else 0
    font = (node.get(f"{W}font") or "").lower()
    if font == "symbol":
        return _SYMBOLS.get(code, chr(code) if 0x20 <= code < 0x7F else "")
    if "dings" in font:
        return _DINGBATS.get(code, "•")
    return chr(int(node.get(f"{W}char", ""), 16)) if int(node.get(f"{W}char", ""), 16) < 0xE000 else ""


def _inside_fallback(element: Any, top: Any) -> bool:
    for ancestor in element.iterancestors():
        if ancestor is top:
            return False
        if ancestor.tag == f"{MC}Fallback":
            return any(box.tag == f"{MC}Choice" for box in ancestor.getparent())
    return False


def _within(element: Any, other: Any) -> bool:
    return any(ancestor is other for ancestor in element.iterancestors())
