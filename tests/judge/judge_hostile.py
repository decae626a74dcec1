"""Broken, hostile and signed PDFs of others: each becomes PDF/A, by veraPDF in the flavour that it claims, or is set aside with a notice that says why in
two languages. No worker crashes, none hangs. A page that was drawn looks, by poppler, as it did before."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys

import numpy

from common import ARKSEAL, JUDGES, SOURCE, WORK, Faults

# Pages are compared as poppler draws them, by the mean brightness of squares: letters are drawn thinner here and bolder there, but a square does
# not change much, and next to none of them a lot.
DPI, SQUARE, APART, MUCH, FEW = 48, 8, 0.05, 0.3, 0.01
SMALL = 16  # pixels: a page with a shorter side is too small to be compared
DIFFERENCES = os.path.join(SOURCE, "tests", "judge", "looks-differences.tsv")
TIME_LIMIT_S = 900


def corpus(*parts):
    return os.path.join(os.environ.get("ARKSEAL_CORPUS") or os.path.join(SOURCE, "..", "shared", "corpus"), *parts)


def gather(to):
    """The files under short names, that nothing but their content counts: {name: where it came from}."""
    names = {}
    os.makedirs(to)
    for part in ("hostile/pdf", "signatures"):
        for at, _, files in sorted(os.walk(corpus(part))):
            for name in sorted(files):
                if name.lower().endswith(".pdf"):
                    short = f"{len(names):04d}"
                    names[short] = os.path.join(at, name)
                    shutil.copyfile(names[short], os.path.join(to, short + ".pdf"))
    return names


def flavours(paths):
    """The flavour that each file claims in its XMP; 2b where none can be read."""
    said = {}
    for path in paths:
        xmp = subprocess.run(["pdfinfo", "-meta", path], capture_output=True, text=True, errors="replace").stdout
        part, level = (re.search(rf"pdfaid:{name}\s*(?:=\s*[\"']|>)\s*(\w)", xmp) for name in ("part", "conformance"))
        said[path] = part.group(1) + level.group(1).lower() if part and level else "2b"
    return said


def grey(path, folder):
    """The pages as poppler draws them, as (width, height, bytes); none where it does not."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    try:
        done = subprocess.run(["pdftoppm", "-r", str(DPI), "-gray", "-cropbox", "-l", "20", path, os.path.join(folder, "p")], capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return []
    pages = []
    for name in sorted(os.listdir(folder)) if done.returncode == 0 else []:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
        pages.append((int(head.group(1)), int(head.group(2)), data[head.end():]))
    return pages


def squares(page):
    width, height, data = page
    pixels = numpy.frombuffer(data, dtype=numpy.uint8)[:width * height].reshape(height, width) / 255
    rows, columns = -(-height // SQUARE), -(-width // SQUARE)
    filled = numpy.pad(pixels, ((0, rows * SQUARE - height), (0, columns * SQUARE - width)), constant_values=1)
    return filled.reshape(rows, SQUARE, columns, SQUARE).mean(axis=(1, 3))


def differ(a, b):
    """How two pages differ; None where they look alike. A row or column more counts for nothing."""
    if abs(a[0] - b[0]) > 1 or abs(a[1] - b[1]) > 1:
        return f"{a[0]} x {a[1]} is {b[0]} x {b[1]}"
    x, y = squares(a), squares(b)
    rows, columns = min(x.shape[0], y.shape[0]), min(x.shape[1], y.shape[1])
    d = abs(x[:rows, :columns] - y[:rows, :columns])
    return f"mean {d.mean():.3f}, {(d > MUCH).mean():.3f} of the squares" if d.mean() > APART or (d > MUCH).mean() > FEW else None


def check_notice(faults, folder, short, source):
    with open(os.path.join(folder, short + ".pdf.json"), encoding="utf-8") as file:
        notice = json.load(file)["notice"]
    with open(os.path.join(folder, short + ".pdf.txt"), encoding="utf-8") as file:
        text = file.read()
    faults.check(not notice["code"].startswith("worker"), f"{source}: {notice['code']} {notice.get('detail')}")
    faults.check(all(word in text for word in ("Vấn đề: ", "Cách xử lý: ", "What is wrong: ", "What to do: ")), f"{source}: {text}")


def listed():
    """Files, below the corpus, whose pages rightly look otherwise, and why."""
    with open(DIFFERENCES, newline="", encoding="utf-8") as file:
        return {row[0]: row[1] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row and not row[0].startswith("#")}


def check_looks(faults, out, names, made, folder):
    compared, reasons, met = 0, listed(), set()
    for short in made:
        after = os.path.join(out, short + ".pdf")
        with open(after, "rb") as a, open(names[short], "rb") as b:
            if a.read() == b.read():
                continue
        before, now = grey(names[short], os.path.join(folder, "before")), grey(after, os.path.join(folder, "after"))
        if len(before) != len(now) or not before:
            continue  # poppler reads other pages than MuPDF, or none, where the page tree is broken
        relative = os.path.relpath(names[short], corpus())
        for number, (x, y) in enumerate(zip(before, now), 1):
            if min(x[:2]) < SMALL and min(y[:2]) < SMALL:
                continue
            compared += 1
            d = differ(x, y)
            met.update([relative] if d and relative in reasons else [])
            faults.check(d is None or relative in reasons, f"{relative} page {number}: looks otherwise ({d})")
    for relative in sorted(set(reasons) - met):
        faults.check(False, f"{relative}: listed, but it looks as it did")
    return compared


def main():
    faults = Faults()
    if not os.path.isdir(corpus("hostile", "pdf")):
        print(f"NOT RUN: there is no corpus of hostile PDFs at {corpus('hostile', 'pdf')} (ARKSEAL_CORPUS)")
        return 0
    root = os.path.join(WORK, "hostile")
    shutil.rmtree(root, ignore_errors=True)
    out = os.path.join(root, "out")
    names = gather(os.path.join(root, "in"))
    done = subprocess.run([ARKSEAL, "run", os.path.join(root, "in"), "--profile", "pdfa-only", "--out", out, "--jobs", "2", "--set", "convert.ocr=none"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=TIME_LIMIT_S)
    faults.check(done.returncode == 1, f"exit {done.returncode}, not 1\n{done.stderr}")
    made = sorted(n[:-4] for n in os.listdir(out) if re.fullmatch(r"\d+\.pdf", n))
    aside = sorted(n.split(".")[0] for n in os.listdir(os.path.join(out, "quarantine")) if n.endswith(".txt"))
    faults.check(sorted(made + aside) == sorted(names), f"{len(made)} made, {len(aside)} aside, of {len(names)}")
    for short in aside:
        check_notice(faults, os.path.join(out, "quarantine"), short, names[short])

    said = flavours(os.path.join(out, short + ".pdf") for short in made)
    for flavour in sorted(set(said.values())):
        paths = [p for p, f in said.items() if f == flavour]
        judged = subprocess.run([os.path.join(JUDGES, "verapdf"), "-f", flavour, *paths], capture_output=True, text=True).stdout
        passed = {line.split("\t")[2] for line in judged.splitlines() if line.startswith("PASS\t")}
        for path in paths:
            faults.check(path in passed, f"{names[os.path.basename(path)[:-4]]}: no PDF/A-{flavour} by veraPDF")
    compared = check_looks(faults, out, names, made, root)
    faults.check(compared > 100, f"only {compared} pages compared")
    print(f"{len(names)} files: {len(made)} PDF/A, {len(aside)} set aside; {compared} pages compared")
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
