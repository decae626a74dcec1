"""PDFs of any size for the checker of PDF/A: pages of text with an embedded TrueType font, and scans, PDF/A-2b both.

A scan's JPEG data are a small picture with zeros behind it, which the file system keeps as holes: ten gigabytes take no room on disk, but every
program must pass over them. Cross-references are a stream with offsets of eight bytes.
"""
import struct
import zlib

FONT = "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf"
PROFILE = "/usr/share/color/icc/ghostscript/srgb.icc"
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
LINES = 45
SENTENCE = "Article %d. The organisation keeps its records, page %d, in good order for as long as the law asks for it."
HOLE = 1 << 13  # what is smaller is written
GROUP = 64  # pages below a node of the page tree


class Writer:
    """Objects one after another; numbers are given out beforehand."""

    def __init__(self, path):
        self.file, self.offsets, self.at = open(path, "wb"), [0], 0
        self.put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def put(self, data):
        self.file.write(data)
        self.at += len(data)

    def number(self):
        self.offsets.append(0)
        return len(self.offsets) - 1

    def object(self, body, number=None):
        number = number or self.number()
        self.offsets[number] = self.at
        self.put(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        return number

    def stream(self, entries, data, zeros=0):
        """A stream of data and so many zero bytes behind it."""
        number = self.number()
        self.offsets[number] = self.at
        self.put(b"%d 0 obj\n<< %s /Length %d >>\nstream\n%s" % (number, entries, len(data) + zeros, data))
        if zeros >= HOLE:
            self.file.seek(zeros, 1)
            self.at += zeros
        else:
            self.put(bytes(zeros))
        self.put(b"\nendstream\nendobj\n")
        return number

    def flate(self, entries, data):
        return self.stream(entries + b" /Filter /FlateDecode", zlib.compress(data))

    def end(self, root):
        number, begin = self.number(), self.at
        self.offsets[number] = begin
        rows = b"".join(struct.pack(">BQH", n > 0, offset, 0 if n else 65535) for n, offset in enumerate(self.offsets))
        packed = zlib.compress(rows)
        self.put(b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 8 2] /Root %d 0 R /ID [<%s> <%s>] /Filter /FlateDecode /Length %d >>\n"
                 b"stream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
                 % (number, number + 1, root, b"0123456789abcdef" * 2, b"0123456789abcdef" * 2, len(packed), packed, begin))
        self.file.close()


def font_tables(data):
    count = struct.unpack_from(">H", data, 4)[0]
    rows = (struct.unpack_from(">4sIII", data, 12 + 16 * n) for n in range(count))
    return {tag: data[offset:offset + length] for tag, _, offset, length in rows}


def glyph_of(cmap):
    """Character → glyph, by the Unicode table of format 4."""
    for n in range(struct.unpack_from(">H", cmap, 2)[0]):
        platform, _, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * n)
        if platform == 3 and struct.unpack_from(">H", cmap, offset)[0] == 4:
            break
    half = struct.unpack_from(">H", cmap, offset + 6)[0]
    ends, starts, deltas, ranges = (offset + 14 + k * half + (2 if k else 0) for k in range(4))

    def find(code):
        for at in range(0, half, 2):
            if code <= struct.unpack_from(">H", cmap, ends + at)[0]:
                start, delta = struct.unpack_from(">H", cmap, starts + at)[0], struct.unpack_from(">H", cmap, deltas + at)[0]
                further = struct.unpack_from(">H", cmap, ranges + at)[0]
                if code < start:
                    return 0
                if not further:
                    return (code + delta) & 0xffff
                return struct.unpack_from(">H", cmap, ranges + at + further + 2 * (code - start))[0]
        return 0
    return find


def add_font(w):
    with open(FONT, "rb") as file:
        data = file.read()
    tables = font_tables(data)
    units, metrics = struct.unpack_from(">H", tables[b"head"], 18)[0], struct.unpack_from(">H", tables[b"hhea"], 34)[0]
    find = glyph_of(tables[b"cmap"])
    # In thousandths of an em, not rounded: a width that is off by more than one breaks a rule.
    widths = b" ".join(b"%.3f" % (1000 * struct.unpack_from(">H", tables[b"hmtx"], 4 * min(find(c), metrics - 1))[0] / units)
                       for c in range(32, 127))
    program = w.flate(b"/Length1 %d" % len(data), data)
    descriptor = w.object(b"<< /Type /FontDescriptor /FontName /Tinos /Flags 32 /FontBBox [-200 -300 1200 1000] /ItalicAngle 0 /Ascent 891 "
                          b"/Descent -216 /CapHeight 660 /StemV 80 /FontFile2 %d 0 R >>" % program)
    return w.object(b"<< /Type /Font /Subtype /TrueType /BaseFont /Tinos /FirstChar 32 /LastChar 126 /Encoding /WinAnsiEncoding "
                    b"/FontDescriptor %d 0 R /Widths [%s] >>" % (descriptor, widths))


def text_of(page):
    shown = b"".join(b"(%s) ' " % (SENTENCE % (n, page)).encode() for n in range(1, LINES + 1))
    return b"BT /F 10 Tf 50 800 Td 16 TL %s ET" % shown


def jpeg():
    """A grey picture of 8 × 8 samples, all of one tone: the shortest baseline JPEG there is."""
    quantisation = b"\xff\xdb\x00\x43\x00" + b"\x01" * 64
    frame = b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
    codes = b"".join(b"\xff\xc4\x00\x14" + kind + b"\x01" + bytes(15) + b"\x00" for kind in (b"\x00", b"\x10"))
    return b"\xff\xd8" + quantisation + frame + codes + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x3f" + b"\xff\xd9"


def make(path, pages, image_bytes=0):
    """Pages of text; with image_bytes each page is a scan of that many bytes with its text underneath, invisible."""
    w = Writer(path)
    root, tree = w.number(), w.number()
    with open(PROFILE, "rb") as file:
        profile = w.flate(b"/N 3", file.read())
    font = add_font(w)
    xmp = w.stream(b"/Type /Metadata /Subtype /XML", XMP.encode())
    kids, picture = [], jpeg()
    groups = [w.number() for _ in range(0, pages, GROUP)]
    for page in range(1, pages + 1):
        resources, content = b"/Font << /F %d 0 R >>" % font, text_of(page)
        if image_bytes:
            image = w.stream(b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8 "
                             b"/Filter /DCTDecode", picture, image_bytes - len(picture))
            resources += b" /XObject << /I %d 0 R >>" % image
            content = b"q 595 0 0 842 0 0 cm /I Do Q " + content.replace(b" Td ", b" Td 3 Tr ")
        contents = w.flate(b"", content)
        kids.append(w.object(b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Resources << %s >> /Contents %d 0 R >>"
                             % (groups[(page - 1) // GROUP], resources, contents)))
    for n, group in enumerate(groups):
        below = kids[GROUP * n:GROUP * n + GROUP]
        kids_of = b" ".join(b"%d 0 R" % kid for kid in below)
        w.object(b"<< /Type /Pages /Parent %d 0 R /Count %d /Kids [%s] >>" % (tree, len(below), kids_of), group)
    w.object(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(b"%d 0 R" % g for g in groups)), tree)
    w.object(b"<< /Type /Catalog /Pages %d 0 R /Metadata %d 0 R /OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 "
             b"/OutputConditionIdentifier (sRGB) /DestOutputProfile %d 0 R >>] >>" % (tree, xmp, profile), root)
    w.end(root)
