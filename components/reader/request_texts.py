"""Which texts are read for a request? Each distinct one once, as tokens, and where its spans stand in the documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from haystack import logging

from components.encoder.ragged import Ints
from components.reader.answer_text import normalised, whole_words
from components.reader.extracted_answers import origin
from components.reader.ranking import Place
from components.reader.request import Request
from components.reader.tokens import PassageCache, PassageTokenizer, Tokens, content_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sheet:
    """A request as it is read: each distinct text once, with the numbers of the documents that hold it."""

    request: Request
    texts: list[str]
    documents: list[list[int]]

    @classmethod
    def of(cls, request: Request) -> "Sheet":
        """Documents without text are told by their id and left out."""
        numbers: dict[bytes, int] = {}
        texts: list[str] = []
        documents: list[list[int]] = []
        for place, document in enumerate(request.documents):
            if not document.content:
                logger.warning("Document {doc_id} holds no text and is not read.", doc_id=document.id)
                continue
            number = numbers.setdefault(content_key(document.content), len(texts))
            if number == len(texts):
                texts.append(document.content)
                documents.append([])
            documents[number].append(place)
        return cls(request, texts, documents)


@dataclass(frozen=True)
class Pairs:
    """Each (question, passage) to read: tokens, and where they came from (number of the sheet, and of its text)."""

    sheets: Sequence[Sheet]
    questions: list[Ints]
    passages: list[Tokens]
    sheet: list[int]
    text: list[int]

    @classmethod
    def of(
        cls, sheets: Sequence[Sheet], texts: Sequence[range], tokenizer: PassageTokenizer, cache: PassageCache
    ) -> "Pairs":
        """The pairs of these texts of the sheets."""
        pairs = cls(sheets, [], [], [], [])
        asked = tokenizer.encode([sheet.request.query.strip() for sheet in sheets])
        for number, (sheet, question, chosen) in enumerate(zip(sheets, asked, texts, strict=True)):
            pairs.passages.extend(cache.encode(tokenizer, [sheet.texts[text] for text in chosen]))
            pairs.questions.extend([question.ids] * len(chosen))
            pairs.sheet.extend([number] * len(chosen))
            pairs.text.extend(chosen)
        return pairs

    def places(self, pair: int, begin: int, end: int, logit: float) -> list[Place]:
        """Tokens ``begin`` to ``end`` of a pair's passage as whole words, for each document that holds the text."""
        sheet, number, tokens = self.sheets[self.sheet[pair]], self.text[pair], self.passages[pair]
        text = sheet.texts[number]
        start, stop = whole_words(text, int(tokens.starts[begin]), int(tokens.ends[end]))
        if start == stop:
            return []
        said = normalised(text[start:stop])
        source, shift = origin(sheet.request.documents[sheet.documents[number][0]])
        region = (source, shift + start, shift + stop)
        return [Place(document, start, stop, said, region, logit) for document in sheet.documents[number]]
