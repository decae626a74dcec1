"""The invisible text layer as others see it: words, spaces, lines and places, on straight and skewed lines and turned pages."""
import math
import os
import re
import struct
import subprocess
import sys
import zlib

from common import BUILD, JUDGES, WORK, Faults

WIDTH, HEIGHT, DPI = 1654, 2339, 200
LINES = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "Số: 05/QĐ-UBND ngày 03 tháng 11 năm 2025",
         "Chữ Nôm 𠊛 𡗶 và dấu “ngoặc”, 1.234,56 đ"]


def png(path, width, height):
    row = b"\0" + b"\xff" * ((width + 7) // 8)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b""))


def words(page, angle):
    """Words 22 pixels a character wide and 36 high with their descenders, on lines that run at an angle."""
    slope = math.tan(math.radians(angle))
    for n, line in enumerate(LINES):
        x, base = 200, 300 + 60 * n
        for text in line.split():
            wide = 22 * len(text)
            y0, y1 = round(base + slope * (x - 200)), round(base + slope * (x + wide - 200))
            yield page, n, x, min(y0, y1) - 28, x + wide, max(y0, y1) + 8, x, y0, x + wide, y1, text
            x += wide + 12


def overlap(a, b):
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0
    both = wide * high
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def read(*args):
    return subprocess.run(args, text=True, capture_output=True, check=True).stdout


def main():
    faults = Faults()
    os.makedirs(WORK, exist_ok=True)
    picture, pdf = os.path.join(WORK, "blank.png"), os.path.join(WORK, "text.pdf")
    png(picture, WIDTH, HEIGHT)
    angles = [0, 1, -1]
    rows = [w for page, angle in enumerate(angles) for w in words(page, angle)]
    subprocess.run([os.path.join(BUILD, "stages", "pdf", "make", "make_probe"), pdf, str(DPI)] + [picture] * len(angles),
                   input="".join("\t".join(map(str, w)) + "\n" for w in rows), text=True, check=True)
    for page, angle in enumerate(angles, 1):
        poppler = read("pdftotext", "-f", str(page), "-l", str(page), pdf, "-")
        faults.check([x for x in poppler.replace("\f", "").splitlines() if x] == LINES, f"pdftotext, {angle} degrees: {poppler!r}")
        mutool = read("mutool", "draw", "-q", "-F", "txt", pdf, str(page))
        faults.check([x for x in mutool.replace("\f", "").splitlines() if x] == LINES, f"mutool, {angle} degrees: {mutool!r}")
    found = re.findall(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]*)</word>',
                       read("pdftotext", "-bbox", pdf, "-"))
    faults.check([x[4] for x in found] == [w[10] for w in rows], "other words, or in another order")
    worst = 1
    for f, w in zip(found, rows):
        share = overlap([float(v) for v in f[:4]], [v * 72 / DPI for v in w[2:6]])
        worst = min(worst, share)
        faults.check(share >= 0.7, f"{w[10]}: the box overlaps by {share:.2f}: {f[:4]}")
    faults.check(subprocess.run([os.path.join(JUDGES, "verapdf"), "-f", "2b", pdf], capture_output=True).returncode == 0, "veraPDF")
    faults.check(subprocess.run(["qpdf", "--check", pdf], capture_output=True).returncode == 0, "qpdf")
    print(f"{len(rows)} words, worst overlap {worst:.2f}, {faults.count} faults")
    return 1 if faults.count else 0


sys.exit(main())
