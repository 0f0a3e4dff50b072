"""How is a failure told to a client? Its status, a code for programs, a sentence for people; nothing from inside."""

from typing import Any

from haystack.document_stores.errors import DocumentStoreError
from haystack.errors import FilterError

from components.batching import Closed, QueueFull, RequestTimeout


class ServiceError(Exception):
    """
    A failure that a client is told.

    :param status: of HTTP.
    :param code: short and stable, for programs.
    :param message: what was given, what is allowed, what to do next; never a question, a text or a key.
    :param retry_after: seconds after which asking again makes sense.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def error_body(status: int, code: str, message: str, request_id: str) -> dict[str, Any]:
    """The one form of an error; clients of OpenAI's protocol read the same fields."""
    return {"error": {"code": code, "message": message, "type": _kind(status), "param": None, "request_id": request_id}}


def _kind(status: int) -> str:
    if status in (401, 403):
        return "authentication_error"
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


def not_found(what: str) -> ServiceError:
    """The same for what is not there and what the caller may not see."""
    return ServiceError(404, "not_found", f"There is no such {what}.")


def explain(error: BaseException) -> ServiceError:
    """What a client is told of an error from inside: known kinds by name, anything else as internal."""
    if isinstance(error, ServiceError):
        return error
    while type(error).__module__.startswith("haystack.core.") and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, QueueFull):
        return ServiceError(503, "busy", "Too much is waiting. Ask again later.", retry_after=1)
    if isinstance(error, RequestTimeout | TimeoutError):
        return ServiceError(504, "timeout", "No answer in the time allowed. Allow more with X-Request-Timeout.")
    if isinstance(error, Closed):
        return ServiceError(503, "unavailable", "The server is about to end. Ask again later.", retry_after=2)
    if isinstance(error, FilterError):
        return ServiceError(422, "invalid_filter", f"`filters`: {error}")
    if isinstance(error, DocumentStoreError | ConnectionError):
        return ServiceError(503, "store_unavailable", "The document store does not answer.", retry_after=2)
    return ServiceError(500, "internal", "Something failed inside. Tell the operator the request id.")
