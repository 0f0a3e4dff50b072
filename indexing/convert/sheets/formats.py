"""A number as the sheet shows it: the number format codes of ECMA-376, part 1, 18.8.30."""

import datetime
import math
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

# What the built-in numbers mean (18.8.30). 14 and 22 look as the reader's country writes dates: here as ISO 8601 does.
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: '"$"#,##0', 6: '"$"#,##0', 7: '"$"#,##0.00',
    8: '"$"#,##0.00', 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)", 41: "#,##0", 42: '"$"#,##0', 43: "#,##0.00", 44: '"$"#,##0.00', 45: "mm:ss",
    46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|(AM/PM|A/P|am/pm|a/p)|(General)|(E[+-])|(y+|m+|d+|h+|s+|e+|b+|g+)(\.0+)?'
    r"|([0#?]+(?:[,.][0#?,.]*)?|\.[0#?]+)|(.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[\d.]+)$")
_CURRENCY = re.compile(r"\$([^-\]]*)(?:-[0-9A-Fa-f]+)?$")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MAX_CODE = 255


def show_number(value: float, code: str, from_1904: bool = False) -> str:
    """
    :param value: as it is stored; dates are days since 1899-12-30.
    :param code: the format, of up to four sections.
    :param from_1904: the book counts days from 1904 on.
    """
    if not math.isfinite(value):
        return str(value)
    try:
        section, absolute = _section(value, code[:_MAX_CODE])
        if section.strip().lower() in ("general", "@", ""):
            return general(value) if section.strip() else ""
        tokens = _tokens(section)
        shown = abs(value) if absolute else value
        if any(token.kind == "date" for token in tokens):
            return _date(shown, tokens, from_1904).strip()
        return _number(shown, tokens).strip() or general(value)
    except (ValueError, OverflowError, InvalidOperation, IndexError):
        return general(value)


def general(value: float) -> str:
    """Without a format: no binary noise, no exponent for what people write out."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    shown = f"{value:.11g}"
    if "e" in shown and 1e-7 < abs(value) < 1e15:
        shown = f"{value:.12f}".rstrip("0")
    return shown


class _Token:
    __slots__ = ("kind", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text


def _section(value: float, code: str) -> tuple[str, bool]:
    """The section for this value, and whether it shows the value without its sign."""
    sections = _sections(code)
    conditions = [_condition(section) for section in sections]
    if any(conditions):
        for section, condition in zip(sections, conditions, strict=True):
            if condition is None or condition(value):
                return section, False
        return sections[-1], False
    numbers = sections[:3]
    if value < 0 and len(numbers) > 1:
        return numbers[1], True
    if value == 0 and len(numbers) > 2:
        return numbers[2], False
    return sections[0], False


@lru_cache(512)
def _sections(code: str) -> list[str]:
    found, start, quoted, index = [], 0, False, 0
    while index < len(code):
        char = code[index]
        if char == '"':
            quoted = not quoted
        elif char == "\\" and not quoted:
            index += 1
        elif char == ";" and not quoted:
            found.append(code[start:index])
            start = index + 1
        index += 1
    return [*found, code[start:]]


def _condition(section: str):  # type: ignore[no-untyped-def]
    for bracket in re.findall(r"\[([^\]]*)\]", section):
        if match := _CONDITION.match(bracket):
            limit = float(match.group(2))
            return {
                "<": limit.__gt__, ">": limit.__lt__, "<=": limit.__ge__,
                ">=": limit.__le__, "=": limit.__eq__, "<>": limit.__ne__,
            }[match.group(1)]  # fmt: skip
    return None


@lru_cache(512)
def _tokens(section: str) -> tuple[_Token, ...]:
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(section):
        quoted, escaped, bracket, half, plain, exponent, date, fraction, digits, other = match.groups()
        if quoted is not None or escaped is not None:
            tokens.append(_Token("text", quoted if quoted is not None else escaped))
        elif bracket is not None:
            if currency := _CURRENCY.match(bracket):
                tokens.append(_Token("text", currency.group(1)))
            elif re.fullmatch(r"[hH]+|[mM]+|[sS]+", bracket):
                tokens.append(_Token("date", f"[{bracket.lower()[0]}{len(bracket)}"))
        elif half is not None:
            tokens.append(_Token("date", "am/pm"))
        elif plain is not None:
            tokens.append(_Token("general", ""))
        elif date is not None:
            tokens.append(_Token("date", date.lower()))
            if fraction:
                tokens.append(_Token("date", fraction))
        elif digits is not None:
            tokens.append(_Token("digits", digits))
        elif exponent is not None:
            tokens.append(_Token("exponent", exponent))
        elif other is not None:
            tokens.append(_Token("text", other))
    return tuple(tokens)


def _number(value: float, tokens: tuple[_Token, ...]) -> str:
    exact = Decimal(repr(value))
    exact *= Decimal(100) ** sum(
        token.text.count("%") for token in tokens if token.kind == "text" and token.text == "%"
    )
    texts = [token.text for token in tokens]
    kinds = [token.kind for token in tokens]
    if "general" in kinds:
        parts = [general(float(exact)) if kind == "general" else text for kind, text in zip(kinds, texts, strict=True)]
        return "".join(parts)
    places = [index for index, kind in enumerate(kinds) if kind == "digits"]
    if not places:
        return ("-" if value < 0 else "") + "".join(texts)
    sign = "-" if exact < 0 else ""
    exact = abs(exact)
    if "exponent" in kinds:
        return sign + _scientific(exact, tokens, kinds.index("exponent"))
    slash = next((i for i, token in enumerate(tokens) if token.text == "/" and token.kind == "text"), None)
    if slash is not None and len(places) > 1:
        return sign + _fraction(exact, texts, places)
    if len(places) > 1:  # 000-0000, (000) 000-0000: digits are dealt out from the right
        return sign + _dealt(exact, texts, places)
    pattern = texts[places[0]]
    stripped = pattern.rstrip(",")
    exact /= Decimal(1000) ** (len(pattern) - len(stripped))
    shown = _decimal(exact, stripped)
    if not any(char in "123456789" for char in shown):
        sign = ""
    texts[places[0]] = shown
    return sign + "".join(texts)


def _decimal(value: Decimal, pattern: str) -> str:
    whole, _, behind = pattern.partition(".")
    rounded = value.quantize(Decimal(1).scaleb(-len(behind.replace(",", ""))), ROUND_HALF_UP)
    digits, _, decimals = f"{rounded:f}".partition(".")
    digits = digits.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole:
        digits = re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", digits)
    needed = len(behind) - len(behind.lstrip("0"))
    while len(decimals) > needed and decimals.endswith("0"):
        decimals = decimals[:-1]
    return digits + ("." + decimals if decimals else "") or "0"


def _scientific(value: Decimal, tokens: tuple[_Token, ...], at: int) -> str:
    power = value.adjusted() if value else 0
    mantissa = _decimal(value.scaleb(-power), tokens[at - 1].text if at else "0")
    width = len(tokens[at + 1].text) if at + 1 < len(tokens) and tokens[at + 1].kind == "digits" else 2
    return f"{mantissa}E{'-' if power < 0 else '+'}{abs(power):0{width}}"


def _fraction(value: Decimal, texts: list[str], places: list[int]) -> str:
    from fractions import Fraction

    whole = int(value) if len(places) > 2 else 0
    width = min(4, max(1, len(texts[places[-1]])))
    near = Fraction(value - whole).limit_denominator(10**width - 1)
    if not near.numerator:
        return str(whole)
    if near == 1:
        return str(whole + 1)
    return f"{whole} {near.numerator}/{near.denominator}" if whole else f"{near.numerator}/{near.denominator}"


def _dealt(value: Decimal, texts: list[str], places: list[int]) -> str:
    digits = str(int(value.quantize(Decimal(1), ROUND_HALF_UP)))
    for place in reversed(places):
        width = len(texts[place])
        taken = digits if place == places[0] else digits[-width:]
        digits = "" if place == places[0] else digits[:-width]
        texts[place] = taken.rjust(texts[place].count("0"), "0")
    return "".join(texts)


def _date(value: float, tokens: tuple[_Token, ...], from_1904: bool) -> str:
    if value < 0:
        return general(value)
    seconds_exact = value * 86400
    fraction = next((len(token.text) - 1 for token in tokens if token.text.startswith(".")), 0)
    seconds = round(seconds_exact, fraction)
    day = int(seconds // 86400)
    if not from_1904 and day < 60:
        day += 1  # Excel's 1900 has a 29th of February
    start = datetime.date(1904, 1, 1) if from_1904 else datetime.date(1899, 12, 30)
    date = start + datetime.timedelta(days=min(day, 2_900_000))
    hour, minute, second = int(seconds // 3600) % 24, int(seconds // 60) % 60, int(seconds) % 60
    kinds = [token.text for token in tokens if token.kind == "date"]
    noon = "am/pm" in kinds
    if _is_midnight(hour, minute, second) and "y" in "".join(kinds) and "h" in "".join(kinds) and _is_iso(tokens):
        return date.isoformat()
    parts = []
    last = ""
    for index, token in enumerate(tokens):
        text = token.text
        if token.kind == "digits" and text.startswith(".") and last.startswith("s"):
            text = f"{seconds % 1:.{len(text) - 1}f}"[1:]
        if token.kind != "date":
            parts.append(text)
            continue
        following = next((after.text for after in tokens[index + 1 :] if after.kind == "date"), "")
        minutes = text in ("m", "mm") and (last.startswith(("h", "[h")) or following.startswith("s"))
        parts.append(_date_part(text, date, hour, minute, second, seconds, noon, minutes))
        last = text
    return "".join(parts)


def _date_part(
    text: str, date: datetime.date, hour: int, minute: int, second: int, seconds: float, noon: bool, minutes: bool
) -> str:
    if text.startswith("["):
        total = int(seconds // {"h": 3600, "m": 60, "s": 1}[text[1]])
        return f"{total:0{int(text[2:])}}"
    if text.startswith("."):
        return f"{seconds % 1:.{len(text) - 1}f}"[1:]
    if text == "am/pm":
        return "AM" if hour < 12 else "PM"
    two = len(text) > 1
    if text[0] == "y":
        return f"{date.year:04}" if len(text) > 2 else f"{date.year % 100:02}"
    if text[0] == "m" and minutes:
        return f"{minute:02}" if two else str(minute)
    if text[0] == "m":
        names = {3: _MONTHS[date.month - 1][:3], 4: _MONTHS[date.month - 1], 5: _MONTHS[date.month - 1][0]}
        return names.get(len(text), f"{date.month:02}" if two else str(date.month))
    if text[0] == "d":
        name = _DAYS[date.weekday()]
        return {3: name[:3], 4: name}.get(len(text), f"{date.day:02}" if two else str(date.day))
    if text[0] == "h":
        hour = (hour % 12 or 12) if noon else hour
        return f"{hour:02}" if two else str(hour)
    if text[0] == "s":
        return f"{second:02}" if two else str(second)
    return str(date.year) if text[0] == "e" else text


def _is_midnight(hour: int, minute: int, second: int) -> bool:
    return not (hour or minute or second)


def _is_iso(tokens: tuple[_Token, ...]) -> bool:
    return tokens[0].text == "yyyy"
