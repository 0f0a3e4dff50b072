"""Is this zip safe to unpack? Asked of its directory, before a byte of it is unpacked."""

import io
import zipfile

from indexing.convert.extracted import Extracted, Part, Refusal, TextBuilder

MAX_MEMBERS = 10_000
MAX_UNPACKED = 200_000_000
MAX_RATIO = 100  # of unpacked to packed size; judged for members past RATIO_FROM only
RATIO_FROM = 1_000_000


def checked_zip(data: bytes) -> zipfile.ZipFile:
    """
    Open an office file's zip. What its directory declares is enforced later: zipfile reads no byte more.

    :raises Refusal: "damaged", "password" or "bomb".
    """
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise Refusal("damaged", f"not a whole zip ({type(error).__name__})") from None
    members = opened.infolist()
    if len(members) > MAX_MEMBERS:
        raise Refusal("bomb", f"{len(members):,} members in the zip; at most {MAX_MEMBERS:,} are read")
    if any(member.flag_bits & 1 for member in members):
        raise Refusal("password", "the zip is encrypted")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise Refusal("bomb", f"unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read")
    if sum(member.compress_size for member in members) > len(data):
        raise Refusal("bomb", "its members overlap")
    for member in members:
        if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * max(1, member.compress_size):
            ratio = member.file_size // max(1, member.compress_size)
            raise Refusal("bomb", f"a member unpacks to {ratio:,} times its size; at most {MAX_RATIO} is read")
    return opened


def convert_zip(data: bytes) -> Extracted:
    """The names of an archive's files; the files themselves as `parts`, folders and hidden ones left out."""
    opened = checked_zip(data)
    builder, parts, notes = TextBuilder(), [], []
    for member in opened.infolist():
        name = "/".join(part for part in member.filename.split("/") if part not in ("", ".", ".."))
        if member.is_dir() or not name or any(part.startswith((".", "__MACOSX")) for part in name.split("/")):
            continue
        builder.block(name, "\n")
        try:
            parts.append(Part(name, opened.read(member)))
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            notes.append(f"attachment not read: {name[:120]} ({type(error).__name__})")
    return Extracted(builder.text(), "application/zip", notes=notes, parts=parts)
