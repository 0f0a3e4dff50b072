"""PDFs written byte by byte, for what no library writes."""


def line(text: str, x: float, y: float, size: float = 12) -> str:
    text = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET\n"


def raw_pdf(
    *pages: str, page_extra: str = "", objects: tuple[str, ...] = (), catalog: str = "", resources: str = ""
) -> bytes:
    """Pages of 600 x 800 points of these content streams; `objects` follow as 100, 101, ..."""
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    bodies = {1: f"<</Type/Catalog/Pages 2 0 R{catalog}>>", 3: font}
    kids = []
    for number, content in enumerate(pages):
        page, stream = 10 + 2 * number, 11 + 2 * number
        kids.append(f"{page} 0 R")
        bodies[page] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {stream} 0 R"
            f"/Resources<</Font<</F1 3 0 R>>{resources}>>{page_extra}>>"
        )
        bodies[stream] = f"<</Length {len(content.encode('latin-1'))}>>stream\n{content}\nendstream"
    bodies[2] = f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(kids)}]>>"
    bodies |= {100 + number: body for number, body in enumerate(objects)}
    out, places = b"%PDF-1.7\n", {}
    for number, body in bodies.items():
        places[number] = len(out)
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += b"xref\n" + b"".join(f"{number} 1\n{place:010} 00000 n \n".encode() for number, place in places.items())
    return out + f"trailer<</Root 1 0 R/Size 9999>>\nstartxref\n{start}\n%%EOF".encode()
