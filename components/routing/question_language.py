"""In which language is a question asked? By its script, its question words, and the small words between the others."""

import re
import unicodedata
from collections import Counter

from components.languages import NAMES
from components.questions import QUESTION_WORDS, WORD

# Words that hardly a question is without, and that few other languages write so. Libraries that know languages by their
# letters need more text than a question has: whatlang, which comes with kreuzberg, named two of seven short questions.
_SMALL_WORDS = {
    "en": "the of in is are was were did does has have can will by to from on at that it with for and an its between",
    "de": "der die das den dem des ist sind wurde wurden hat haben kann im ein eine einen in und von zu mit für auf"
    " nach bei wird durch zwischen es sich als zum zur am an aus",
    "fr": "le la les des du est sont était étaient fut a ont été au aux une et dans par pour sur avec il elle ce cette"
    " l d qu",
    "es": "el los las del es son fue fueron ha han al una y por para con se su entre está cuál",
    "it": "il lo gli della dei delle di è sono fu furono ha hanno nel nella in al alla un una e per con si suo è stato"
    " stata",
    "pt": "o os as do da dos das é são foi foram tem têm no na ao um uma e por para com se seu entre está",
    "nl": "de het een is zijn was werd werden heeft hebben kan van in op te met voor door naar bij er en tussen",
}
# A word that asks says more than a small one, which may be part of a name ("Who wrote Les Misérables?").
_WEIGHTS = {
    iso: dict.fromkeys(words.split(), 1.0) | dict.fromkeys(QUESTION_WORDS[NAMES[iso]], 2.0)
    for iso, words in _SMALL_WORDS.items()
}
# "was" asks in German and is a verb in English: a word counts for less, the more languages write it.
_SHARED = Counter(word for weights in _WEIGHTS.values() for word in weights)
_BY_SCRIPT = {"GREEK": "el", "CYRILLIC": "ru", "ARABIC": "ar", "TAMIL": "ta"}
_BY_SCRIPT |= {"HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "HEBREW": "he", "THAI": "th", "CJK": "zh"}
_LETTER = re.compile(r"[^\W\d_]")


def question_language(question: str, otherwise: str = "en") -> str:
    """
    ISO 639 code of a question's language.

    Letters of another script than the Latin tell alone, as far as they can: Cyrillic is taken for Russian, Arabic
    letters for Arabic. Among languages in Latin letters those of `QUESTION_WORDS` are known.

    :param otherwise: what is said of a question that shows no sign, such as a name alone.
    """
    scripts = [unicodedata.name(letter, " ").partition(" ")[0] for letter in _LETTER.findall(question)]
    foreign = [script for script in scripts if script in _BY_SCRIPT]
    if len(foreign) > len(scripts) / 2:
        return next((_BY_SCRIPT[one] for one in foreign if one in ("HIRAGANA", "KATAKANA")), _BY_SCRIPT[foreign[0]])
    words = [word.casefold() for word in WORD.findall(question)]
    scores = {
        language: sum(weights[word] / _SHARED[word] for word in words if word in weights)
        for language, weights in _WEIGHTS.items()
    }
    best = max(scores.values())
    first = [language for language, score in scores.items() if score == best]
    return first[0] if best > 0 and len(first) == 1 else otherwise
