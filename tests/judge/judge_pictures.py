"""Pictures: JPEG and single-strip G4 streams are byte for byte the source's, all others are pixel for pixel the source's."""
import io
import os
import struct

import numpy
from PIL import Image, ImageSequence

from common import BACKLOG, DOCUMENTS, WORK, Faults, images, pdfs, stream

Image.MAX_IMAGE_PIXELS = None


def source_pages(code):
    """(path, page from 0, PIL picture) of all pages, in order."""
    for name in DOCUMENTS[code]:
        path = os.path.join(BACKLOG, name)
        with Image.open(path) as picture:
            for number, page in enumerate(ImageSequence.Iterator(picture)):
                yield path, number, page.copy(), dict(page.tag_v2) if hasattr(page, "tag_v2") else {}


def strips(path, tags):
    with open(path, "rb") as file:
        data = file.read()
    offsets, counts = tags[273], tags[279]
    offsets = offsets if isinstance(offsets, tuple) else (offsets,)
    counts = counts if isinstance(counts, tuple) else (counts,)
    return [data[o:o + n] for o, n in zip(offsets, counts)]


def decoded(pdf, number, filters, image):
    """The samples of an embedded picture, as rows of numbers."""
    width, height, bits = image["width"], image["height"], image["bitspercomponent"]
    if filters == ["/DCTDecode"]:
        return numpy.asarray(Image.open(io.BytesIO(stream(pdf, number, True))))
    if filters == ["/CCITTFaxDecode"]:
        parameters = image["decodeparms"][0]
        data = stream(pdf, number, True)
        # A TIFF around the data lets Pillow decode it.
        entries = [(256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 4), (262, 3, 1 if parameters.get("/BlackIs1") else 0),
                   (273, 4, 8 + 2 + 12 * 8 + 4), (278, 4, height), (279, 4, len(data))]
        head = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(entries))
        for tag, kind, value in entries:
            head += struct.pack("<HHII", tag, kind, 1, value)
        if parameters["/K"] >= 0:
            raise ValueError("only G4 is expected here")
        return numpy.asarray(Image.open(io.BytesIO(head + struct.pack("<I", 0) + data)).convert("L"))
    data = numpy.frombuffer(stream(pdf, number, False), dtype=numpy.uint8)
    components = len(data) * 8 // bits // (width * height) or 1
    if bits < 8:
        rows = numpy.unpackbits(data.reshape(height, -1), axis=1)
        rows = rows.reshape(height, -1, bits)
        values = rows @ (1 << numpy.arange(bits - 1, -1, -1))
        return values[:, :width]
    return data.reshape(height, width, components).squeeze()


def same(pdf, number, filters, image, path, page, tags):
    """Whether the embedded picture is the source's; a text where it is not."""
    raw = stream(pdf, number, True)
    if path.endswith(".jpg"):
        with open(path, "rb") as file:
            return None if raw == file.read() else "the JPEG stream differs"
    if tags.get(259) == 4 and len(strips(path, tags)) == 1:
        return None if raw == strips(path, tags)[0] else "the G4 stream differs"
    found = decoded(pdf, number, filters, image)
    wanted = numpy.asarray(page)
    if page.mode == "1":
        wanted = wanted.astype(numpy.uint8)
        found = (found > 0).astype(numpy.uint8)
        if tags.get(262) == 0 and not numpy.array_equal(found, wanted):
            found = 1 - found  # min-is-white: the dictionary inverts
    return None if numpy.array_equal(found, wanted) else f"pixels differ ({filters}, {page.mode})"


def main():
    faults = Faults()
    made = pdfs(os.path.join(WORK, "archive"))
    for code, sources in DOCUMENTS.items():
        if sources[0].endswith(".pdf"):
            continue
        pictures = sorted(images(made[code]))
        pages = list(source_pages(code))
        faults.check(len(pictures) == len(pages), f"{code}: {len(pictures)} pictures, not {len(pages)}")
        for (number, target, filters, image), (path, _, page, tags) in zip(pictures, pages):
            fault = same(made[code], target, filters, image, path, page, tags)
            faults.check(fault is None, f"{code} page {number}: {fault}")
    faults.end()


if __name__ == "__main__":
    main()
