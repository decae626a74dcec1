"""Foreign pictures, good and broken: those that must come out come out with their pixels, the others are refused by name, and every
PDF made of them is PDF/A-2b by veraPDF and sound by qpdf."""
import csv
import hashlib
import os
import subprocess
import sys

from common import BUILD, JUDGES, SOURCE, WORK, Faults

# To be refused by the corpus' word, yet rightly converted: what is bad lies outside the picture.
HARMLESS = {
    "png_decompression_dos.png": "the bomb is in text, which is not read",
    "m1-66ac49ef3f48ac9482049e1ab57a53e9.png": "a chunk that is no part of the picture has a wrong check sum",
}
# Fine by the corpus' word, yet rightly refused.
STRICT = {"testpage-small.tif": "compression 32896 (IT8), which libtiff does not know"}
# Neither Pillow nor tifffile gives the samples of 16-bit planes side by side: the digest of what a few lines of Python read.
BY_HAND = {"flower-rgb-planar-16.tif": "65a24c05f9fd9c0167d1084edf31562e"}


def corpus():
    folder = os.environ.get("ARKSEAL_CORPUS") or os.path.join(SOURCE, "..", "shared", "corpus")
    return os.path.join(folder, "images")


def probe(folder, files, out):
    """What image_probe says: file -> list of rows."""
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(out):
        os.remove(os.path.join(out, name))
    run = subprocess.run([os.path.join(BUILD, "stages", "pdf", "make", "image_probe"), out], input="\n".join(files) + "\n",
                         text=True, capture_output=True, cwd=folder, timeout=900)
    sys.stderr.write(run.stderr)
    said = {}
    for line in run.stdout.splitlines():
        row = line.split("\t")
        said.setdefault(row[0], []).append(row[1:])
    return run.returncode, said


def check_pixels(faults, folder, row, first):
    name = row["file"]
    _, _, _, kind, coding, _, _, bits, _, colour, flags, digest, data, size, plain = first
    if coding == "dct" and kind == "JPEG":
        with open(os.path.join(folder, name), "rb") as f:
            faults.check(hashlib.sha256(f.read(int(size))).hexdigest() == data, f"{name}: the JPEG stream is not the file's")
        return
    # JPEG in TIFF depends on the decoder; for transparency laid over white there is no hash to compare with.
    if coding == "dct" or "f" in flags or row["compression"] in ("JPEG", "OJPEG"):
        return
    if row["mode"] in ("RGBA", "LA", "LAB", "La") or (row["mode"] == "P" and colour == "rgb"):
        return
    # 16-bit grey of PNG: the digest is over the high byte first, Pillow's over the low one.
    if plain == "-" and bits == "16" and coding == "flate":
        return
    wanted = (row["pixels_sha256_32"], row["raw_samples_sha256_32"], BY_HAND.get(os.path.basename(name)))
    faults.check(digest[:32] in wanted or plain[:32] in wanted, f"{name}: other pixels ({kind}, {coding}, {bits} bit, {colour})")


def check_verdict(faults, folder, row, said):
    name, base = row["file"], os.path.basename(row["file"])
    faults.check(said is not None, f"{name}: no answer")
    if said is None:
        return
    code = said[-1][0]
    faults.check(code != "memory" and code != "", f"{name}: {code}")
    if row["expected"] == "reject":
        faults.check(code != "ok" or base in HARMLESS, f"{name}: converted, but is to be refused")
    if row["expected"] == "convert" and code != "ok":
        # What somebody's decoder makes of damaged files is no measure: a clear refusal is right.
        faults.check("hostile" in row["tags"] or base in STRICT, f"{name}: {said[-1]}")
    if row["expected"] == "convert" and code == "ok":
        check_pixels(faults, folder, row, said[0])


def judge(faults, out):
    said = subprocess.run([os.path.join(JUDGES, "verapdf"), "-f", "2b", out], text=True, capture_output=True)
    made = [name for name in os.listdir(out) if name.endswith(".pdf")]
    passed = sum(line.startswith("PASS\t") for line in said.stdout.splitlines())
    for line in said.stdout.splitlines():
        faults.check(line.startswith("PASS\t"), line)
    faults.check(passed == len(made), f"veraPDF passes {passed} of {len(made)}")
    for name in made:
        qpdf = subprocess.run(["qpdf", "--check", os.path.join(out, name)], text=True, capture_output=True)
        faults.check(qpdf.returncode == 0, f"{name}: {qpdf.stdout}{qpdf.stderr}")
    return len(made)


def main():
    folder = corpus()
    manifest = os.path.join(folder, "manifest.tsv")
    if not os.path.exists(manifest):
        print(f"NOT RUN: there is no corpus of pictures at {folder} (ARKSEAL_CORPUS)")
        return 0
    with open(manifest, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    faults, out = Faults(), os.path.join(WORK, "images")
    status, said = probe(folder, [row["file"] for row in rows], out)
    faults.check(status == 0, f"image_probe ended with {status}")
    for row in rows:
        check_verdict(faults, folder, row, said.get(row["file"]))
    made = judge(faults, out)
    print(f"{len(rows)} files, {made} PDFs, {faults.checks} checks, {faults.count} faults")
    return 1 if faults.count else 0


sys.exit(main())
