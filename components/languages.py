"""Languages by ISO code, as every setting called `language` takes them, and their English names, as libraries do."""

import warnings

# Those that the embedded store can stem.
NAMES = {
    "ar": "Arabic", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fi": "Finnish",
    "fr": "French", "hu": "Hungarian", "it": "Italian", "nl": "Dutch", "no": "Norwegian", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "tr": "Turkish",
}  # fmt: skip


def language_name(language: str, owner: str) -> str:
    """
    The English name of a language.

    :param language: ISO 639 code ("en", "pt-BR"); an English name, the form of before, is taken with a FutureWarning.
    :param owner: whose setting it is, for messages.
    :raises ValueError: for any other; the message lists the codes there are.
    """
    code = str(language).lower().replace("_", "-").partition("-")[0]
    if code in NAMES:
        return NAMES[code]
    former = {name.lower(): (iso, name) for iso, name in NAMES.items()}.get(str(language).lower())
    if former is None:
        raise ValueError(f"{owner}: language is {language!r}, but must be one of {', '.join(NAMES)}")
    warnings.warn(
        f"{owner}: languages are given by their ISO code now: language: {former[0]} instead of {language}; names will "
        "go away",
        FutureWarning,
        stacklevel=4,
    )
    return former[1]
