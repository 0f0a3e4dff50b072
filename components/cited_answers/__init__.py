"""Answers that a language model writes, with a citation in every sentence and every quotation checked."""

from components.cited_answers.generator import CitedAnswerGenerator
from components.cited_answers.language_model import LanguageModelError

__all__ = ["CitedAnswerGenerator", "LanguageModelError"]
