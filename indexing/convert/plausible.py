"""Is a text layer language, or the garbage that a wrong character map makes of it? Told by the share of known words."""

import re

_WORD = re.compile(r"[^\W\d_]{2,}")
_ENOUGH = 150  # words in Latin letters: fewer prove nothing
_LEAST = 0.01  # of the words; prose has twenty times as many, a parts list some
_LATIN = re.compile(r"[a-zA-ZÀ-ɏ]+")
# The commonest words of languages in Latin letters, each a percent and more of any prose in it.
_KNOWN = frozenset((
    "the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not", "or",
    "are", "from", "at", "this", "have", "an", "you", "which", "page", "der", "die", "und", "das", "den", "von",
    "zu", "ist", "mit", "des", "auf", "für", "nicht", "im", "ein", "eine", "dem", "sich", "als", "auch", "es",
    "werden", "aus", "er", "le", "la", "les", "de", "et", "est", "du", "en", "un", "une", "que", "dans", "qui",
    "pour", "par", "sur", "au", "pas", "plus", "ne", "ce", "il", "avec", "el", "los", "las", "del", "por", "con",
    "para", "una", "su", "al", "lo", "como", "más", "pero", "no", "se", "si", "di", "che", "per", "non", "sono",
    "della", "nel", "alla", "da", "gli", "os", "uma", "em", "do", "na", "com", "não", "mais", "dos", "ao", "um",
    "het", "een", "van", "op", "te", "dat", "niet", "zijn", "voor", "met", "aan", "och", "att", "det", "som",
    "på", "är", "av", "för", "med", "till", "inte", "om", "har", "af", "til", "ikke", "og", "ja", "ei", "että",
    "oli", "hän", "mutta", "kun", "ovat", "tai", "nie", "się", "jest", "że", "jak", "przez", "dla", "od", "ale",
    "je", "že", "za", "jako", "pro", "ve", "az", "és", "hogy", "nem", "egy", "meg", "volt", "csak", "ez", "bir",
    "bu", "için", "ile", "olarak", "çok", "daha", "gibi", "şi", "nu", "pe", "cu", "din", "care", "este", "mai",
    "sau", "dan", "yang", "ini", "dengan", "untuk", "dari", "tidak", "pada", "itu", "là", "và", "của", "có",
    "không", "các", "cho", "một", "trong", "được",
))  # fmt: skip


def garbage_note(text: str) -> str | None:
    """The note of a text whose words no language knows; None for plausible or short ones, and for other scripts."""
    strange = sum(text.count(char) for char in "\ufffd") + len(re.findall("[\ue000-\uf8ff]", text[:200_000]))
    if strange > 0.1 * max(1, min(len(text), 200_000)):
        return "its text layer holds characters without meaning: check the file, or recognise its pages anew"
    words = [word.lower() for word in _WORD.findall(text[:200_000]) if _LATIN.fullmatch(word)]
    if len(words) < _ENOUGH or sum(word in _KNOWN for word in words) >= _LEAST * len(words):
        return None
    return "its text layer may be garbage (hardly a known word): check the file, or recognise its pages anew"
