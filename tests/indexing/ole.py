"""The smallest OLE compound file (MS-CFB) that holds given streams, and an Outlook message (MS-OXMSG) made of one."""

import struct

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
NO_STREAM = 0xFFFFFFFF


def compound_file(streams: dict[str, bytes]) -> bytes:
    """Streams of the root storage, each padded to 4,096 bytes so that no mini stream is needed."""
    padded = {name: data.ljust(4096, b"\0") for name, data in streams.items()}
    names = sorted(padded, key=lambda name: (len(name), name.upper()))
    chains, body, directory_sectors = [], b"", (len(names) + 4) // 4
    first = 1 + directory_sectors  # sector 0 is the FAT, then the directory
    for name in names:
        data = padded[name] + b"\0" * (-len(padded[name]) % SECTOR)
        chains.append((first, len(data) // SECTOR))
        first += len(data) // SECTOR
        body += data
    fat = [FAT, *chain(1, directory_sectors)]
    for start, count in chains:
        fat += chain(start, count)
    assert len(fat) <= SECTOR // 4
    fat += [FREE] * (SECTOR // 4 - len(fat))
    entries = entry("Root Entry", 5, child=1 if names else NO_STREAM, start=END, size=0)
    for number, (name, (start, _)) in enumerate(zip(names, chains, strict=True), 1):
        right = number + 1 if number < len(names) else NO_STREAM  # a list is a tree, too
        entries += entry(name, 2, right=right, start=start, size=len(padded[name]))
    directory = entries.ljust(directory_sectors * SECTOR, b"\0")
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, 1, 0, 4096, END, 0, END, 0,
    )  # fmt: skip
    header += struct.pack("<I", 0) + struct.pack("<I", FREE) * 108
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + body


def chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), END] if count else []


def entry(name: str, kind: int, *, start: int, size: int, child: int = NO_STREAM, right: int = NO_STREAM) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, len(encoded), kind, 1, NO_STREAM, right, child, b"", 0, 0, 0, start, size
    )


def outlook_message(subject: str, body: str) -> bytes:
    properties = b"\0" * 32
    streams = {}
    for tag, value in ((0x0037001F, subject), (0x1000001F, body), (0x001A001F, "IPM.Note")):
        data = value.ljust(2048).encode("utf-16-le")  # blanks, so that `compound_file` pads nothing
        streams[f"__substg1.0_{tag:08X}"] = data
        properties += struct.pack("<IIII", tag, 6, len(data) + 2, 0)
    streams["__properties_version1.0"] = properties
    return compound_file(streams)
