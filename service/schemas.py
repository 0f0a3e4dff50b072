"""What clients send and get: the models that check requests and describe both in /openapi.json."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_FILTERS = "Haystack's filter syntax: {field, operator, value} or {operator: AND|OR|NOT, conditions: [...]}"


class _Request(BaseModel):
    """Unknown fields are refused: a misspelt filter must not silently become no filter."""

    model_config = ConfigDict(extra="forbid")


class AskRequest(_Request):
    question: str | None = Field(None, min_length=1, max_length=100_000, description="one question")
    questions: list[str] | None = Field(None, min_length=1, max_length=1000, description="or many at once")
    top_k: int | None = Field(None, ge=1, le=1000, description="answers at most; the pipeline's setting by default")
    filters: dict[str, Any] | None = Field(None, description=_FILTERS)
    score_threshold: float | None = Field(None, ge=0, le=1, description="only answers at least this probable")
    passages: bool = Field(False, description="return the passages that were read, too")

    @model_validator(mode="after")
    def _one_of_both(self) -> "AskRequest":
        if (self.question is None) == (self.questions is None):
            raise ValueError("give either `question` or `questions`")
        return self


class SearchRequest(_Request):
    query: str = Field(min_length=1, max_length=100_000)
    filters: dict[str, Any] | None = Field(None, description=_FILTERS)
    offset: int = Field(0, ge=0, le=10_000, description="results to skip")
    limit: int = Field(10, ge=1, le=1000, description="results to return")
    facets: list[str] = Field(
        ["mime_type", "file_name"], max_length=20, description="fields of meta to count among the results"
    )


class AllowRequest(_Request):
    allow: list[str] | None = Field(
        description="everyone, user:NAME, group:NAME; [] for nobody; null to follow the rules again"
    )


class CorrectSpan(_Request):
    """The right words: characters `start` to `end` of the document's text."""

    document: str = Field(pattern="^[0-9a-f]{32}$")
    start: int = Field(ge=0, le=100_000_000)
    end: int = Field(ge=1, le=100_000_000)
    text: str | None = Field(None, max_length=10_000, description="the words themselves, checked against the text")


class FeedbackRequest(_Request):
    question: str = Field(min_length=1, max_length=100_000)
    verdict: Literal["right", "right_passage", "wrong"]
    answer: str | None = Field(None, max_length=10_000)
    document: str | None = Field(None, pattern="^[0-9a-f]{32}$", description="the document's id")
    start: int | None = Field(None, ge=0, le=100_000_000, description="place of the answer in the document's text")
    end: int | None = Field(None, ge=1, le=100_000_000)
    correct: CorrectSpan | None = Field(None, description="the right words, where the answer was wrong")
    not_in_documents: bool = Field(False, description="the documents do not hold the answer")
    comment: str | None = Field(None, max_length=2000)
    request_id: str | None = Field(None, max_length=64, pattern="^[0-9A-Za-z-]*$")


class ChatMessage(BaseModel):
    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(BaseModel):
    """OpenAI's fields; those that only steer text generation are taken and passed over."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    top_k: int | None = Field(None, ge=1, le=1000, description="ours: answers at most")
    filters: dict[str, Any] | None = Field(None, description="ours: " + _FILTERS)


class Links(BaseModel):
    document: str
    text: str
    original: str
    page: str | None


class Answer(BaseModel):
    """docs/json.md tells the fields; `links` lead to the document, its text, its file and the answer's page."""

    model_config = ConfigDict(extra="allow")

    answer: str
    probability: float
    document_id: str | None
    source_id: str | None
    file: str | None
    page: int | None
    links: Links | None


class Passage(BaseModel):
    document_id: str
    source_id: str | None
    content: str
    score: float | None
    highlights: list[tuple[int, int]]
    file: str | None
    title: str | None
    headings: str | None
    page: int | None
    start_in_file: int | None
    end_in_file: int | None
    meta: dict[str, Any]
    links: Links | None


class Result(BaseModel):
    question: str
    answers: list[Answer]
    no_answer_probability: float | None
    abstained: bool
    passages: list[Passage] | None = None
    degraded: str | None


class AskResponse(Result):
    request_id: str
    timings: dict[str, float] = Field(description="milliseconds by stage")


class ManyResponse(BaseModel):
    results: list[Result]
    request_id: str
    timings: dict[str, float]


class SearchResponse(BaseModel):
    query: str
    results: list[Passage]
    total: int = Field(description="results found, at most `max_search_depth`")
    more: bool = Field(description="whether there may be more than `total`")
    facets: dict[str, list[dict[str, Any]]]
    did_you_mean: str | None
    request_id: str
    timings: dict[str, float]


class JobView(BaseModel):
    id: str
    document: str
    kind: Literal["add", "replace", "delete"]
    state: Literal[
        "queued", "converting", "splitting", "embedding", "writing", "searchable", "refused", "failed", "deleted"
    ]
    reason: str | None
    detail: str | None
    name: str
    size: int
    passages: int | None
    created: str
    changed: str
    links: dict[str, str]


class DocumentView(BaseModel):
    id: str
    name: str
    file: str
    title: str | None
    mime_type: str | None
    state: Literal["indexed", "pending", "refused", "queued"]
    reason: str | None
    size: int
    pages: int | None
    passages: int
    modified: str | None
    added: str | None
    uploaded_by: str | None
    allow: list[str] | None = Field(description="for those who may upload or administrate; null for others")
    job: JobView | None
    links: Links


class ErrorDetail(BaseModel):
    code: str
    message: str
    type: str
    param: str | None
    request_id: str


class ErrorResponse(BaseModel):
    error: ErrorDetail
