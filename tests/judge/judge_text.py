"""Text: no more wrong characters than the tesseract command makes on the same pages, and each word's box lies on its word.

pdftotext -raw gives the words in the order of the file, which is the order of reading; that is held against the command's text. Without
-raw it makes an order of its own from the places of the words (of a letterhead in two columns the left one first, whoever made the PDF): it
must still find the same words, none split and none joined."""
import os
import subprocess
import tempfile
import unicodedata
import xml.etree.ElementTree as tree

import numpy
from PIL import Image, ImageOps, ImageSequence

from common import BACKLOG, DOCUMENTS, TRUTH, WORK, Faults, run

CONVERTED = os.path.join(WORK, "converted")
NOT_TEXT = ("G09.01.002.0000002", "G09.01.002.0000003")  # a photograph, a map


def distance(a, b):
    """Levenshtein distance, row by row."""
    row = numpy.arange(len(b) + 1)
    letters = numpy.array([ord(c) for c in b])
    for i, c in enumerate(a, 1):
        change = numpy.minimum(row[1:] + 1, row[:-1] + (letters != ord(c)))
        change = numpy.concatenate(([i], change))
        steps = numpy.arange(len(b) + 1)
        row = numpy.minimum.accumulate(change - steps) + steps
    return int(row[-1])


def plain(text):
    return " ".join(unicodedata.normalize("NFC", text).split())


def pages():
    """(code, page from 1, picture upright, converted PDF) of all pages with a truth."""
    for code, sources in DOCUMENTS.items():
        if sources[0].endswith(".pdf") or code in NOT_TEXT:
            continue
        stem = os.path.dirname(sources[0]) if len(sources) > 1 else os.path.splitext(sources[0])[0]
        number = 0
        for name in sources:
            with Image.open(os.path.join(BACKLOG, name)) as picture:
                for page in ImageSequence.Iterator(picture):
                    number += 1
                    if os.path.exists(os.path.join(TRUTH, f"{code}.{number}.txt")):
                        yield code, number, ImageOps.exif_transpose(page.copy()), page.info.get("dpi", (72, 72)), os.path.join(CONVERTED, stem + ".pdf")


def by_command(picture, dpi, folder):
    path = os.path.join(folder, "page.png")
    picture.save(path, dpi=dpi)
    return run("tesseract", path, "-", "-l", "vie+eng", env={**os.environ, "OMP_THREAD_LIMIT": "1"})


def boxes(pdf, number):
    """(word, left, top, right, bottom) in points."""
    page = tree.fromstring(subprocess.run(["pdftotext", "-bbox", "-f", str(number), "-l", str(number), pdf, "-"],
                                          capture_output=True, check=True).stdout)
    for word in page.iter("{http://www.w3.org/1999/xhtml}word"):
        yield (unicodedata.normalize("NFC", word.text or ""), *(float(word.get(k)) for k in ("xMin", "yMin", "xMax", "yMax")))


def overlap(a, b):
    """The share of b that a covers."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = (b[2] - b[0]) * (b[3] - b[1])
    return max(0, width) * max(0, height) / area if area else 0


def check_boxes(faults, code, number, pdf, dpi):
    truth = os.path.join(TRUTH, f"{code}.{number}.tsv")
    if not os.path.exists(truth):
        return
    found = [(w, [v * dpi / 72 for v in box]) for w, *box in boxes(pdf, number)]
    shares = []
    with open(truth, encoding="utf-8") as file:
        for line in file:
            *box, word = line.rstrip("\n").split("\t")
            box = [float(v) for v in box]
            near = [overlap(b, box) for w, b in found if w == word]
            if near and max(near) > 0:
                shares.append(max(near))
            else:
                shares.append(None)
    matched = [s for s in shares if s is not None]
    on = [s for s in matched if s >= 0.5]
    faults.check(len(matched) >= 0.9 * len(shares), f"{code} page {number}: only {len(matched)} of {len(shares)} words found in their places")
    faults.check(len(on) >= 0.98 * len(matched), f"{code} page {number}: {len(matched) - len(on)} of {len(matched)} boxes do not lie on their words")


def main():
    faults = Faults()
    ours = theirs = letters = 0
    with tempfile.TemporaryDirectory() as folder:
        for code, number, picture, dpi, pdf in pages():
            with open(os.path.join(TRUTH, f"{code}.{number}.txt"), encoding="utf-8") as file:
                truth = plain(file.read())
            page = ("-f", str(number), "-l", str(number), pdf, "-")
            text, placed = plain(run("pdftotext", "-raw", *page)), plain(run("pdftotext", *page))
            here, there = distance(text, truth), distance(plain(by_command(picture, dpi, folder)), truth)
            print(f"{code} page {number}: {here} wrong characters, tesseract {there}, of {len(truth)}")
            ours, theirs, letters = ours + here, theirs + there, letters + len(truth)
            faults.check(sorted(text.split()) == sorted(placed.split()), f"{code} page {number}: pdftotext finds other words by their places: "
                         f"{sorted(set(text.split()) ^ set(placed.split()))}")
            check_boxes(faults, code, number, pdf, dpi[0])
    print(f"character error rate {100 * ours / letters:.2f} %, tesseract's command {100 * theirs / letters:.2f} %")
    # The page comes to Tesseract already grey, which moves single characters either way: one in 2,000 is no difference.
    faults.check(ours <= theirs + letters / 2000, f"{ours} wrong characters, the tesseract command has {theirs}")
    search = run("pdftotext", os.path.join(CONVERTED, "G09/hop-01/ho-so-01/G09.01.001.0000001.pdf"), "-")
    faults.check("lưu trữ" in unicodedata.normalize("NFC", search), "a search for «lưu trữ» finds nothing")
    faults.end()


if __name__ == "__main__":
    main()
