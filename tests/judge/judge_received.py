"""Received PDFs as the user meets them: scans keep their pictures byte for byte and get text where the words are seen, however the page is turned;
files that are attached stay, where they are PDF/A, or lie beside the document byte for byte."""
import hashlib
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys

from PIL import Image, ImageDraw, ImageFont

from common import ARKSEAL, JUDGES, WORK, Faults

FACE = "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf"
LINES = ["ỦY BAN NHÂN DÂN TỈNH", "Căn cứ Luật Lưu trữ ngày 21 tháng 6 năm 2024;", "nay quyết định ban hành quy chế công tác văn thư."]
WORD = "quyết"
PAGE = (595, 842)
APART = 2.0  # points, between a word's places
TABLE = bytes(range(256)) * 40  # stands for a spreadsheet: nobody looks into it


def scan():
    picture = Image.new("L", (1240, 1754), "white")
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(LINES):
        draw.text((180, 300 + 60 * i), line, font=ImageFont.truetype(FACE, 32), fill="black")
    coded = io.BytesIO()
    picture.save(coded, "JPEG", quality=85)
    return picture.size, coded.getvalue()


def build(objects):
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, len(out))


def stream(entries, data):
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def scanned(size, coded, turn=0, offset=(0, 0), crop=b""):
    """The scan as a page that is turned for showing, so that it stands upright."""
    w, h = PAGE
    place = {0: (w, 0, 0, h, 0, 0), 90: (0, w, -h, 0, h, 0), 180: (-w, 0, 0, -h, w, h), 270: (0, -w, h, 0, 0, w)}[turn]
    wide, high = (w, h) if turn % 180 == 0 else (h, w)
    content = b"q %d %d %d %d %d %d cm /I Do Q" % (*place[:4], place[4] + offset[0], place[5] + offset[1])
    return build([
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1/Rotate %d/MediaBox[%d %d %d %d]>>" % (turn, *offset, offset[0] + wide, offset[1] + high),
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>%s>>" % crop,
        stream(b"", content),
        stream(b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode/Interpolate true" % size, coded),
    ])


def attached(archival, annotation=b"", first=b"(a)<</Type/Filespec/F(a.pdf)/EF<</F 5 0 R>>>>"):
    return build([
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[%s(b)6 0 R]>>>>>>" % first,
        b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 300 200]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>/Annots[%s]>>" % annotation,
        stream(b"", b"BT /F 20 Tf 50 100 Td (See the table) Tj ET"),
        stream(b"/Type/EmbeddedFile", archival),
        b"<</Type/Filespec/F(../Bang tinh.XLSX)/UF(../Bang tinh.XLSX)/EF<</F 7 0 R/UF 7 0 R>>>>",
        stream(b"/Type/EmbeddedFile", TABLE),
        b"<</Type/Filespec/F(a.pdf)/EF<</F 5 0 R>>>>",
    ])


def put(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def get(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def convert(faults, backlog, out, *more, expected=0):
    done = subprocess.run([ARKSEAL, "run", backlog, "--profile", "pdfa-only", "--out", out, "--jobs", "2", "--set", "convert.ocr=vie", *more],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    faults.check(done.returncode == expected, f"exit {done.returncode}, not {expected}\n{done.stderr}")


def record(out, name):
    database = sqlite3.connect(f"file:{out}/.arkseal/ledger.sqlite?mode=ro", uri=True)
    rows = [row[0] for row in database.execute("SELECT record FROM items JOIN steps ON at = (SELECT max(at) FROM steps WHERE at / 256 = serial)")]
    database.close()
    return next(row for row in rows if f'"path":"{name}"' in row)


def is_pdfa(path, flavour="2b"):
    return subprocess.run([os.path.join(JUDGES, "verapdf"), "-f", flavour, path], capture_output=True, text=True).stdout.startswith("PASS")


def place(path, word):
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, text=True).stdout
    found = re.search(rf'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">{word}<', boxes)
    return [float(n) for n in found.groups()] if found else None


def check_scans(faults, root):
    size, coded = scan()
    backlog, out = os.path.join(root, "scans"), os.path.join(root, "scans-out")
    cases = {f"turned-{turn}": scanned(size, coded, turn) for turn in (0, 90, 180, 270)}
    cases["elsewhere"] = scanned(size, coded, 90, offset=(100, -50))
    cases["cropped"] = scanned(size, coded, crop=b"/CropBox[40 30 560 800]")
    for name, data in cases.items():
        put(backlog, name + ".pdf", data)
    convert(faults, backlog, out)
    seen = place(os.path.join(out, "turned-0.pdf"), WORD)
    faults.check(seen is not None, f"{WORD} is not found")
    for name in cases:
        made = os.path.join(out, name + ".pdf")
        faults.check(is_pdfa(made), f"{name}: no PDF/A by veraPDF")
        faults.check(coded in get(made), f"{name}: the picture is not as it was")
        faults.check("least change" in record(out, name), f"{name}: {record(out, name)}")
        now = place(made, WORD)
        faults.check(now is not None and all(abs(a - b) < APART for a, b in zip(now, seen)), f"{name}: {WORD} at {now}, not {seen}")
    again = os.path.join(root, "scans-again")
    convert(faults, backlog, again)
    for name in cases:
        faults.check(get(out, name + ".pdf") == get(again, name + ".pdf"), f"{name}: a second run gives other bytes")


def check_attached(faults, root):
    backlog, out = os.path.join(root, "first"), os.path.join(root, "first-out")
    put(backlog, "first.pdf", scanned(*scan()))
    convert(faults, backlog, out)
    archival = get(out, "first.pdf")
    backlog, out = os.path.join(root, "attached"), os.path.join(root, "attached-out")
    put(backlog, "kept.pdf", attached(archival))
    put(backlog, "drawn.pdf", attached(archival, b"<</Type/Annot/Subtype/Movie/Rect[9 9 20 20]/F 4>>"))
    convert(faults, backlog, out)
    sha256 = hashlib.sha256(TABLE).hexdigest()
    for name, embedded in (("kept", 1), ("drawn", 0)):
        made = os.path.join(out, name + ".pdf")
        faults.check(is_pdfa(made), f"{name}: no PDF/A by veraPDF")
        inside = subprocess.run(["pdfdetach", "-list", made], capture_output=True, text=True).stdout
        faults.check(inside.startswith(f"{embedded} embedded"), f"{name}: {inside}")
        beside = sorted(n for n in os.listdir(out) if n.startswith(name + ".attachment"))
        expected = [f"{name}.attachment-2.xlsx"] if embedded else [f"{name}.attachment-1.pdf", f"{name}.attachment-2.xlsx"]
        faults.check(beside == expected, f"{name}: beside it lie {beside}")
        faults.check(get(out, f"{name}.attachment-2.xlsx") == TABLE, f"{name}: the attached file is not as it was")
        faults.check(sha256 in record(out, name) and "Bang tinh.XLSX" in record(out, name), f"{name}: {record(out, name)}")
    faults.check(get(out, "drawn.attachment-1.pdf") == archival, "the attached PDF/A is not as it was")
    check_embedded(faults, root, archival)
    out = os.path.join(root, "held-out")
    convert(faults, backlog, out, "--set", "convert.attachments=quarantine", expected=1)
    faults.check(not [n for n in os.listdir(out) if n.endswith(".pdf")], "made although its profile holds it")


def check_embedded(faults, root, archival):
    """The profile wants them inside: PDF/A-3b, each associated; a specification that is no object of its own cannot be."""
    out = os.path.join(root, "embedded-out")
    put(os.path.join(root, "embedded"), "inside.pdf", attached(archival, first=b"(a)8 0 R"))
    put(os.path.join(root, "embedded"), "hidden.pdf", attached(archival, first=b""))
    put(os.path.join(root, "embedded"), "direct.pdf", attached(archival))
    convert(faults, os.path.join(root, "embedded"), out, "--set", "convert.attachments=embed")
    for name, contents, beside in (("inside", [archival, TABLE], []), ("hidden", [TABLE], ["hidden.attachment-1.pdf"])):
        made = os.path.join(out, name + ".pdf")
        faults.check(is_pdfa(made, "3b"), f"{name}: no PDF/A-3b by veraPDF")
        told = record(out, name)
        faults.check("PDF/A-3b" in told and "fmt/480" in told and "stays inside" in told, f"{name}: {told}")
        for i, content in enumerate(contents, 1):
            taken = os.path.join(root, "taken")
            subprocess.run(["pdfdetach", "-save", str(i), "-o", taken, made], check=False, capture_output=True)
            faults.check(get(taken) == content, f"{name}: file {i} is not as it was")
        found = [n for n in os.listdir(out) if n.startswith(name + ".attachment")]
        faults.check(found == beside, f"{name}: what nothing leads to lies beside: {found}")
    faults.check(is_pdfa(os.path.join(out, "direct.pdf")), "direct: no PDF/A-2b by veraPDF")
    faults.check(os.path.exists(os.path.join(out, "direct.attachment-2.xlsx")), f"direct: {os.listdir(out)}")


def check_media(faults, root):
    """Sounds and artworks that lie in a document, which no PDF/A-2 may have, lie beside it."""
    backlog, out = os.path.join(root, "media"), os.path.join(root, "media-out")
    annotations = b"<</Type/Annot/Subtype/Sound/Rect[9 9 20 20]/F 4/Sound 5 0 R>><</Type/Annot/Subtype/3D/Rect[30 9 50 20]/F 4/3DD 6 0 R>>"
    put(backlog, "media.pdf", build([
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 300 200]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>/Annots[%s]>>" % annotations,
        stream(b"", b"BT /F 20 Tf 50 100 Td (Listen and look) Tj ET"), stream(b"/Type/Sound/R 8000/E/Signed", b"sound" * 99),
        stream(b"/Type/3D/Subtype/U3D", b"U3D\0" * 99)]))
    convert(faults, backlog, out)
    told = record(out, "media")
    faults.check(is_pdfa(os.path.join(out, "media.pdf")), "media: no PDF/A by veraPDF")
    for name, content in (("media.attachment-1.raw", b"sound" * 99), ("media.attachment-2.u3d", b"U3D\0" * 99)):
        faults.check(os.path.exists(os.path.join(out, name)) and get(out, name) == content, f"media: {name} is not there as it was: {os.listdir(out)}")
        faults.check(hashlib.sha256(content).hexdigest() in told, f"media: {told}")
    faults.check("sound of 8000 Hz, 1 channel(s), 8 bit, Signed.raw" in told and "artwork.u3d" in told, f"media: {told}")


def portfolio(documents):
    """A cover sheet, and documents as a collection (ISO 32000-1, 7.11.6)."""
    names = b"".join(b"(%03d)%d 0 R" % (i, 6 + 2 * i) for i in range(len(documents)))
    objects = [b"<</Type/Catalog/Pages 2 0 R/Collection<</Type/Collection/View/D>>/Names<</EmbeddedFiles<</Names[%s]>>>>>>" % names,
               b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 300 200]>>",
               b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
               stream(b"", b"BT /F 20 Tf 50 100 Td (Open the portfolio) Tj ET")]
    for i, (name, content) in enumerate(documents):
        objects += [stream(b"/Type/EmbeddedFile/Params<</Size %d/CheckSum(%s)>>" % (len(content), b"x" * 16), content),
                    b"<</Type/Filespec/F(%s)/UF(%s)/EF<</F %d 0 R>>>>" % (name, name, 5 + 2 * i)]
    return build(objects)


def check_portfolio(faults, root):
    """Its PDFs become PDF/A and stay in it, under their names; what cannot lies beside it, byte for byte."""
    backlog, out = os.path.join(root, "portfolio"), os.path.join(root, "portfolio-out")
    archival = get(root, "first-out", "first.pdf")
    nested, cut = attached(archival), three_pages(0)[:300]
    documents = [(b"text.pdf", three_pages(0)), (b"archival.pdf", archival), (b"scan.pdf", scanned(*scan())), (b"nested.pdf", nested), (b"table.xlsx", TABLE),
                 (b"cut.pdf", cut)]
    put(backlog, "portfolio.pdf", portfolio(documents))
    convert(faults, backlog, out, "--set", "convert.attachments=convert", "--set", "convert.sidecars=[text]")
    made, told = os.path.join(out, "portfolio.pdf"), record(out, "portfolio")
    faults.check(is_pdfa(made), "portfolio: no PDF/A by veraPDF")
    faults.check(b"/Collection" in get(made), "portfolio: it is none any more")
    inside = subprocess.run(["pdfdetach", "-list", made], capture_output=True, text=True).stdout
    faults.check([line.split(": ")[1] for line in inside.splitlines()[1:]] == ["text.pdf", "archival.pdf", "scan.pdf"], f"portfolio: {inside}")
    for i, word in ((1, "Second"), (2, WORD), (3, WORD)):
        taken = os.path.join(root, f"taken-{i}.pdf")
        subprocess.run(["pdfdetach", "-save", str(i), "-o", taken, made], check=False, capture_output=True)
        faults.check(is_pdfa(taken), f"portfolio: document {i} is no PDF/A by veraPDF")
        faults.check(word in subprocess.run(["pdftotext", taken, "-"], capture_output=True, text=True).stdout, f"portfolio: no {word} in document {i}")
    faults.check(get(root, "taken-2.pdf") == archival, "portfolio: the PDF/A in it is not as it was")
    beside = {n: get(out, n) for n in os.listdir(out) if ".attachment-" in n}
    faults.check(beside == {"portfolio.attachment-4.pdf": nested, "portfolio.attachment-5.xlsx": TABLE, "portfolio.attachment-6.pdf": cut}, f"portfolio: {sorted(beside)}")
    faults.check('attached file \\"text.pdf\\" became PDF/A' in told and hashlib.sha256(get(root, "taken-1.pdf")).hexdigest() in told, f"portfolio: {told}")
    again = os.path.join(root, "portfolio-again")
    convert(faults, backlog, again, "--set", "convert.attachments=convert")
    faults.check(get(made) == get(again, "portfolio.pdf"), "portfolio: a second run gives other bytes")


def three_pages(turn):
    """The second page has what PDF/A forbids and what must not be taken away unseen; a bookmark leads to the third."""
    page = b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%s/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
    movie = b"/Annots[<</Type/Annot/Subtype/Movie/Rect[9 9 20 20]/F 4>>]"
    texts = [stream(b"", b"BT /F 20 Tf 50 100 Td (%s page) Tj ET" % word) for word in (b"First", b"Second", b"Third")]
    return build([b"<</Type/Catalog/Pages 2 0 R/Outlines 9 0 R>>",
                  b"<</Type/Pages/Kids[3 0 R 5 0 R 7 0 R]/Count 3/MediaBox[0 0 300 200]/Rotate %d>>" % turn,
                  page % (4, b""), texts[0], page % (6, movie), texts[1], page % (8, b""), texts[2],
                  b"<</Type/Outlines/First 10 0 R/Last 10 0 R/Count 1>>", b"<</Title(third)/Parent 9 0 R/Dest[7 0 R/Fit]>>"])


def check_one_drawn(faults, root):
    """Only the page that must be drawn is; the others keep their letters, the document its bookmarks."""
    backlog, out = os.path.join(root, "mixed"), os.path.join(root, "mixed-out")
    for turn in (0, 90, 270):
        put(backlog, f"mixed-{turn}.pdf", three_pages(turn))
    convert(faults, backlog, out)
    for turn in (0, 90, 270):
        name = f"mixed-{turn}"
        made = os.path.join(out, name + ".pdf")
        faults.check(is_pdfa(made), f"{name}: no PDF/A by veraPDF")
        images = subprocess.run(["pdfimages", "-list", made], capture_output=True, text=True).stdout.splitlines()[2:]
        faults.check([line.split()[0] for line in images] == ["2"], f"{name}: pictures {images}")
        text = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True).stdout.split()
        faults.check(text == "First page Second page Third page".split(), f"{name}: {text}")
        faults.check("so it was drawn: page 2" in record(out, name), f"{name}: {record(out, name)}")
        faults.check(b"(third)" in get(made), f"{name}: the bookmark is gone")
        now, seen = place(made, "Second"), place(os.path.join(backlog, name + ".pdf"), "Second")
        # Where words stand on their side, their boxes are told differently; the middle is the same.
        apart = [abs(now[i] + now[i + 2] - seen[i] - seen[i + 2]) / 2 for i in (0, 1)]
        faults.check(max(apart) < (APART if turn == 0 else 20), f"{name}: Second at {now}, not {seen}")


def main():
    faults = Faults()
    root = os.path.join(WORK, "received")
    shutil.rmtree(root, ignore_errors=True)
    check_scans(faults, root)
    check_attached(faults, root)
    check_media(faults, root)
    check_portfolio(faults, root)
    check_one_drawn(faults, root)
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
