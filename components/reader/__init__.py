from components.reader.component import ExtractiveReader

__all__ = ["ExtractiveReader"]
