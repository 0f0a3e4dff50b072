"""Questions that passages answer; what the generator is made of stands in components.generation."""

from components.generation.question_generator import QuestionGenerator

__all__ = ["QuestionGenerator"]
