"""A process that draws one page and ends: `python -m service.documents.draw FILE PAGE WIDTH` writes a PNG."""

import resource
import sys

MEMORY = 1 << 30
SECONDS = 15


def main() -> None:
    """Within limits of memory and time; whatever goes wrong is the exit code's to tell."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pypdfium2

    path, number, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    document = pypdfium2.PdfDocument(path)
    page = document[number - 1]
    height = width * page.get_height() / max(page.get_width(), 1.0)
    scale = width / max(page.get_width(), 1.0) * min(1.0, 6000 / max(height, 1.0))
    page.render(scale=scale).to_pil().save(sys.stdout.buffer, format="PNG")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
