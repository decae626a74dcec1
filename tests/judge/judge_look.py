"""The appearance: top right corner of page one, inside the page, the organisation and the time as real text, nothing on other pages."""
import os
import re
import subprocess
import unicodedata

import numpy
from PIL import Image

from common import ORGANISATION, WORK, Faults, pdfs
from judge_text import boxes

MM = 72 / 25.4


def page_size(pdf):
    said = subprocess.run(["pdfinfo", "-f", "1", "-l", "1", "-box", pdf], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Page\s+1 size:\s+([\d.]+) x ([\d.]+)", said)
    return float(found.group(1)), float(found.group(2))


def drawn(pdf, box, size):
    """How dark the place of the appearance is when two renderers draw it, and what its surroundings say."""
    shares = []
    for renderer in ("mutool", "pdftoppm"):
        out = os.path.join(WORK, "look.png")
        if renderer == "mutool":
            subprocess.run(["mutool", "draw", "-q", "-r", "150", "-o", out, pdf, "1"], check=True, capture_output=True)
        else:
            subprocess.run(["pdftoppm", "-r", "150", "-f", "1", "-l", "1", "-png", "-singlefile", pdf, out.removesuffix(".png")], check=True)
        pixels = numpy.asarray(Image.open(out).convert("L"))
        scale = pixels.shape[1] / size[0]
        left, top, right, bottom = (round(v * scale) for v in box)
        shares.append(float((pixels[top:bottom, left:right] < 110).mean()))
    return shares


def main():
    faults = Faults()
    for code, pdf in pdfs(os.path.join(WORK, "archive")).items():
        width, height = page_size(pdf)
        words = list(boxes(pdf, 1))
        times = [w for w in words if re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00", w[0])]
        if not faults.check(len(times) == 1, f"{code}: the signing time stands {len(times)} times on page one"):
            continue
        time = times[0]
        # Words of the same face and size, in the lines directly above: the scan's own words have other heights.
        size = time[4] - time[2]
        near = [w for w in words if abs(w[4] - w[2] - size) < 0.2 and 0 <= time[2] - w[2] < 4 * size]
        near.sort(key=lambda w: (round(w[2]), w[1]))
        said = unicodedata.normalize("NFC", " ".join(w[0] for w in near))
        faults.check(said.startswith(ORGANISATION), f"{code}: «{ORGANISATION}» is not there, but «{said}»")
        left, top, right = min(w[1] for w in near), min(w[2] for w in near), max(w[3] for w in near)
        faults.check(0 < width - right < 20 * MM, f"{code}: {(width - right) / MM:.1f} mm from the right edge")
        faults.check(0 < top < 20 * MM, f"{code}: {top / MM:.1f} mm from the top edge")
        faults.check(left > 0, f"{code}: begins left of the page")
        faults.check(10.5 < size < 12, f"{code}: the line is {size:.1f} pt high, so it is not 10 pt Tinos")
        for share in drawn(pdf, (left, top, right, time[4]), (width, height)):
            faults.check(0.03 < share < 0.6, f"{code}: {100 * share:.1f} % of the place is dark: not readable text")
    faults.end()


if __name__ == "__main__":
    main()
