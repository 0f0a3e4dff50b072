"""Which texts are read for a request? Each distinct one once, joined with the question as tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haystack import logging

from components.encoder.ragged import Ints
from components.reader.request import Request
from components.reader.token_cache import PassageCache, content_key
from components.reader.tokens import PassageTokenizer, Tokens

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RequestTexts:
    """A request as it is read: each distinct text once, with the numbers of the documents that hold it."""

    request: Request
    texts: list[str]
    documents: list[list[int]]

    @classmethod
    def of(cls, request: Request) -> "RequestTexts":
        """Documents without text are skipped with a warning that names the id."""
        numbers: dict[bytes, int] = {}
        texts: list[str] = []
        documents: list[list[int]] = []
        for rank, document in enumerate(request.documents):
            if not document.content:
                logger.warning("Document {doc_id} holds no text and is not read.", doc_id=document.id)
                continue
            number = numbers.setdefault(content_key(document.content), len(texts))
            if number == len(texts):
                texts.append(document.content)
                documents.append([])
            documents[number].append(rank)
        return cls(request, texts, documents)

    def take(self, numbers: Iterable[int]) -> "RequestTexts":
        """The same request with these of its texts only."""
        kept = list(numbers)
        return RequestTexts(
            self.request, [self.texts[number] for number in kept], [self.documents[number] for number in kept]
        )


@dataclass(frozen=True)
class Pairs:
    """
    Each (question, passage) to read, as tokens.

    :param requests: what the pairs were made of.
    :param questions: token ids of each pair's question.
    :param passages: tokens of each pair's passage.
    :param request: number in ``requests`` of each pair; ascending.
    :param text: number of each pair's text in its request.
    """

    requests: Sequence[RequestTexts]
    questions: list[Ints]
    passages: list[Tokens]
    request: list[int]
    text: list[int]

    @classmethod
    def of(cls, requests: Sequence[RequestTexts], tokenizer: PassageTokenizer, cache: PassageCache) -> "Pairs":
        """Pair each question with each of its texts."""
        pairs = cls(requests, [], [], [], [])
        questions = tokenizer.encode([each.request.query.strip() for each in requests])
        for number, (each, question) in enumerate(zip(requests, questions, strict=True)):
            count = len(each.texts)
            pairs.passages.extend(cache.encode(tokenizer, each.texts))
            pairs.questions.extend([question.ids] * count)
            pairs.request.extend([number] * count)
            pairs.text.extend(range(count))
        return pairs
