"""How much of a question's wording a passage repeats: neighbouring words that are neighbours there too."""

import math
from collections.abc import Sequence

from components.questions import WORD


def phrase_shares(pairs: Sequence[tuple[str, str]], texts: Sequence[str]) -> list[float]:
    """
    For each text, the share of the question's word pairs that stand side by side in it, from 0 to 1.

    BM25 and sentence vectors hardly see the order of words; "Normandy in France" and "France in Normandy" are one to
    them. This is the ordered-bigram feature of the sequential dependence model (Metzler and Croft 2005, "A Markov
    Random Field Model for Term Dependencies"), over the candidates of one question only. Pairs are weighted by how few
    of the texts have them (BM25's inverse document frequency), so that "of the" weighs next to nothing.

    :param pairs: Casefolded pairs of words, as `components.questions.pairs` gives them.
    :param texts: The candidates.
    """
    if not pairs or not texts:
        return [0.0] * len(texts)
    # Words joined by one space and closed by spaces: then a pair is a substring, and no text is cut into pieces twice.
    plain = [f" {' '.join(WORD.findall(text.casefold()))} " for text in texts]
    shares = [0.0] * len(texts)
    total = 0.0
    for first, second in pairs:
        phrase = f" {first} {second} "
        found = [position for position, text in enumerate(plain) if phrase in text]
        weight = math.log(1.0 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
        total += weight
        for position in found:
            shares[position] += weight
    return [share / total for share in shares]
