"""Which units make a passage together? The cheapest division of a document, found by dynamic programming."""

from collections.abc import Sequence

from indexing.chunking.segments import Border, Unit

# What it costs to begin a passage there: cutting a sentence is worst.
_BEGIN = {Border.CUT: 2.0, Border.SENTENCE: 0.5, Border.LINE: 0.3, Border.PARAGRAPH: 0.05, Border.HEADING: 0.0}
# What it costs to have the border inside a passage: sections and paragraphs keep apart unless they are small.
_INSIDE = {Border.CUT: 0.0, Border.SENTENCE: 0.0, Border.LINE: 0.0, Border.PARAGRAPH: 0.1, Border.HEADING: 0.6}
_SMALL = 0.4  # a passage that fills less of its room than this costs the more, the smaller it is
_BARE_HEADING = 3.0
MAX_UNITS = 64
CHARACTERS_PER_TOKEN = 16  # a passage has at most this many times its tokens: unbroken rubbish is one token a word


def pack(pieces: Sequence[Unit], tokens: Sequence[int], room: int) -> list[tuple[int, int]]:
    """
    Divide units into passages.

    :param tokens: of each unit; none is above `room`.
    :param room: tokens that fit a passage.
    :returns: [first, last + 1) of the units of each passage, in order, all units covered.
    """
    if not pieces:
        return []
    characters = room * CHARACTERS_PER_TOKEN
    if sum(tokens) <= room and pieces[-1].end - pieces[0].start <= characters:
        return [(0, len(pieces))]
    best = [0.0] + [float("inf")] * len(pieces)
    begins = [0] * (len(pieces) + 1)
    for stop in range(1, len(pieces) + 1):
        used, inside = 0, 0.0
        for first in range(stop - 1, max(-1, stop - 1 - MAX_UNITS), -1):
            used += tokens[first]
            alone = first == stop - 1
            if not alone and (used > room or pieces[stop - 1].end - pieces[first].start > characters):
                break
            cost = best[first] + inside + _small(used, room) + _BEGIN[pieces[first].border]
            if pieces[stop - 1].border is Border.HEADING:
                cost += _BARE_HEADING  # a passage must not end in a heading whose text comes in the next
            if cost < best[stop]:
                best[stop], begins[stop] = cost, first
            follows_heading = first > 0 and pieces[first - 1].border is Border.HEADING
            inside += 0.0 if follows_heading else _INSIDE[pieces[first].border]
    passages = []
    stop = len(pieces)
    while stop:
        passages.append((begins[stop], stop))
        stop = begins[stop]
    return passages[::-1]


def with_overlap(
    passages: Sequence[tuple[int, int]], pieces: Sequence[Unit], tokens: Sequence[int], room: int, sentences: int
) -> list[tuple[int, int]]:
    """
    Let each passage begin up to `sentences` units earlier, where they fit and no heading lies between. None begins
    where the one before it does: that one would lie inside it.
    """
    widened: list[tuple[int, int]] = []
    for first, stop in passages:
        used = sum(tokens[first:stop])
        least = widened[-1][0] + 1 if widened else 0
        for _ in range(sentences):
            if first <= least or pieces[first].border is Border.HEADING or used + tokens[first - 1] > room:
                break
            if pieces[stop - 1].end - pieces[first - 1].start > room * CHARACTERS_PER_TOKEN:
                break
            first -= 1
            used += tokens[first]
        widened.append((first, stop))
    return widened


def _small(used: int, room: int) -> float:
    lack = _SMALL - used / room
    return 4.0 * (lack / _SMALL) ** 2 if lack > 0 else 0.0
