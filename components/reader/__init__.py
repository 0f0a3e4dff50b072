from components.reader.extractive_reader import ExtractiveReader

__all__ = ["ExtractiveReader"]
