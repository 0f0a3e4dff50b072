"""Which words may not be taken apart? Addresses, hosts, paths, file names, versions, and numbers with their sign."""

import re

_LONGEST = 300  # characters on each side that are looked at: beyond, there is no address to be kept whole

# Each alternative begins at a letter, digit or sign that nothing of its kind stands before.
_UNBROKEN = re.compile(
    r"""
      [a-z][a-z0-9+.-]*://[^\s<>"'“”‘’|]*[^\s<>"'“”‘’|.,;:!?)\]}]                # web address
    | [\w.+%-]+@\w[\w-]*(?:\.\w[\w-]*)+                                       # mail address
    | [A-Za-z]:\\(?:[^\s\\/:*?"<>|]+\\)*[^\s\\/:*?"<>|]*[^\s\\/:*?"<>|.,;]         # C:\folder\file.name
    | \\\\[^\s\\/:*?"<>|]+(?:\\[^\s\\/:*?"<>|]+)+                                 # \\server\folder
    | (?<![\w./~])(?:~|\.{1,2})?/(?:[\w.+@%~=-]+/)*[\w.+@%~=-]*[\w~]/?             # /var/log, ~/notes, ./run
    | (?<!\w)(?:[^\W\d_]\.){2,}(?!\w)                                         # U.S.
    # host:port/path, file.name, 1.2.3-rc1
    | (?<![\w.])[\w-]+(?:\.[\w-]+)+(?::[0-9]{2,5})?(?:/[\w.+@%~=?&\#-]*)*(?<![.?&-])
    | (?<![\w/])(?:[\w.+@-]+/)+[\w+@-]+(?:\.[\w-]+)+                              # folder/file.name
    | (?:[0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{1,4}                              # IPv6, MAC
    | [^\W_]+(?:_+[^\W_]+)+                                                    # name_of_something
    """,
    re.VERBOSE,
)
_SIGNS = frozenset("-−+±")
_CURRENCIES = frozenset("$€£¥₹")
# "Paris.The": a full stop whose space is missing ends a sentence.
_SENTENCES = re.compile(r"[^\W\d_]{2}\.[^\W\d_a-z][^\W\d_]")


def widen_to_unbroken(text: str, start: int, end: int) -> tuple[int, int]:
    """
    Widen a span to the addresses, names and numbers that it cuts.

    :param start: first character of the span; ``end``: the one behind its last. ``start < end``.
    """
    cut_before = start > 0 and not text[start - 1].isspace()
    cut_behind = end < len(text) and not text[end].isspace()
    if cut_before or cut_behind:
        first, last = max(0, start - _LONGEST), min(end + _LONGEST, len(text))
        begin = max([first, *(text.rfind(blank, first, start) + 1 for blank in " \n")])
        stop = min([last, *(place for blank in " \n" if (place := text.find(blank, end, last)) >= 0)])
        for found in _UNBROKEN.finditer(text, begin, stop):
            if _SENTENCES.search(found[0]):
                continue
            if found.start() < start < found.end():
                start = found.start()
            if found.start() < end < found.end():
                end = found.end()
    return _with_sign(text, start), end


def _with_sign(text: str, start: int) -> int:
    """A sign belongs to the number behind it where nothing that it could join stands before it."""
    sign = start - 1
    number = text[start]
    if sign < 0 or text[sign] not in _SIGNS or not (number.isdigit() or number in _CURRENCIES or number == "."):
        return start
    before = text[:sign].rstrip(" ")[-1:]
    joined = sign > 0 and (text[sign - 1].isalnum() or text[sign - 1] in "-−+±.,)%°")
    between_numbers = before.isdigit() and sign > 0 and text[sign - 1] == " "  # "10 -12"
    return start if joined or between_numbers else sign
