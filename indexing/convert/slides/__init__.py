"""PPTX, and its kin PPTM, POTX and PPSX: what each slide shows, then its notes."""

from indexing.convert.slides.show import convert_pptx

__all__ = ["convert_pptx"]
