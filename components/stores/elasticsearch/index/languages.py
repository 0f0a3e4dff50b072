"""Languages of passages: ISO codes, Elasticsearch's analysers of them; raises ValueError for a language without one."""

from typing import Any

# Elasticsearch's own analysers by ISO code (module analysis-common): stop words removed, words stemmed.
ANALYSERS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "bn": "bengali", "pt-br": "brazilian", "bg": "bulgarian",
    "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english", "et": "estonian", "fi": "finnish",
    "fr": "french", "gl": "galician", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "ga": "irish", "it": "italian", "lv": "latvian", "lt": "lithuanian", "no": "norwegian",
    "nb": "norwegian", "fa": "persian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "ckb": "sorani", "es": "spanish", "sv": "swedish", "th": "thai", "tr": "turkish",
    "zh": "cjk", "ja": "cjk", "ko": "cjk",
}  # fmt: skip
# Languages whose words are not parted by spaces, or not stemmed, have analysers of their own.
_BUILT_IN = frozenset({"cjk", "persian", "thai"})
# The light stemmers are those of Elasticsearch's own analysers of these languages.
_STEMMERS = {name: f"light_{name}" for name in ("french", "german", "italian", "portuguese", "spanish")}


def to_analyser(language: str | None) -> str | None:
    """
    Elasticsearch's name for a language.

    :param language: ISO 639 code ("en", "pt-BR"), or None.
    :raises ValueError: For a language without an analyser; the message lists those there are.
    """
    if language is None:
        return None
    code = str(language).lower().replace("_", "-")
    if code not in ANALYSERS:
        raise ValueError(f"language is {language!r}, but must be null or one of {', '.join(sorted(ANALYSERS))}")
    return ANALYSERS[code]


def to_iso(analyser: str | None) -> str | None:
    """The ISO code (of several, the first) of a language by Elasticsearch's name; other names come back as given."""
    return next((code for code, name in ANALYSERS.items() if name == analyser), analyser)


def analysis(language: str | None, name: str) -> dict[str, Any]:
    """
    An index's analysis settings: case and accents do not matter, stop words are left out, words stemmed.

    Accents are removed before stemming, so that a word is the same with and without them.

    :param language: Elasticsearch's name of it; None leaves out nothing and stems nothing.
    :param name: What the analyser is called.
    """
    if language in _BUILT_IN:
        return {"analyzer": {name: {"type": language}}}
    chain: list[str] = ["lowercase", "asciifolding"]
    filters: dict[str, Any] = {}
    if language is not None:
        filters["excerpt_stop"] = {"type": "stop", "stopwords": f"_{language}_"}
        filters["excerpt_stem"] = {"type": "stemmer", "language": _STEMMERS.get(language, language)}
        chain = ["lowercase", "excerpt_stop", "asciifolding", "excerpt_stem"]
    if language == "english":
        filters["excerpt_possessive"] = {"type": "stemmer", "language": "possessive_english"}
        chain.insert(0, "excerpt_possessive")
    return {"filter": filters, "analyzer": {name: {"type": "custom", "tokenizer": "standard", "filter": chain}}}
