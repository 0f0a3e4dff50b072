"""The reader that writes its answers; what it is made of stands in components.generation."""

from components.generation.generative_reader import GenerativeReader

__all__ = ["GenerativeReader"]
