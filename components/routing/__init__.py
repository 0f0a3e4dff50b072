"""Which way does a question go? By its language, or by how it begins."""

from components.routing.question_router import QuestionRouter

__all__ = ["QuestionRouter"]
