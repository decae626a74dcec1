"""A folder of PDFs is signed as it is (profile sign-only): every way of building a file that offices have, each begins with its own bytes, holds in EU DSS,
pyHanko and poppler at B-LTA, and stays the PDF/A that it was; what cannot be signed is set aside, and nothing else is written."""
import os
import shutil
import subprocess
import sys

from common import ARKSEAL, BUILD, JUDGES, PKI, SOURCE, WORK, Faults, ask, run, token_environment
from judge_received import attached, build, get, put, stream

TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
RECEIVED = os.path.join(SOURCE, "fixtures", "backlog", "G09", "hop-02", "ho-so-03")
ROOT = os.path.join(WORK, "sign-only")
SITE = os.path.join(PKI, "site.yaml")


def qpdf(source, to, *words):
    subprocess.run(["qpdf", *words, source, to], check=False)  # 3: warnings
    return to


def page_of(entries):
    return build([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                  b"<</Type/Page/Parent 2 0 R/Contents 4 0 R%s/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>" % entries,
                  stream(b"", b"BT /F 20 Tf 150 300 Td (A page) Tj ET")])


def form():
    """A form with a text field, whose default resources are an object of their own."""
    return build([b"<</Type/Catalog/Pages 2 0 R/AcroForm 5 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
                  b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Annots 7 0 R/Resources<</Font<</F 8 0 R>>>>>>", stream(b"", b"BT /F 20 Tf 50 100 Td (A form) Tj ET"),
                  b"<</Fields 9 0 R/DR<</Font<</F 8 0 R>>>>/DA(/F 12 Tf 0 g)>>",
                  b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Signature1)/V(x)/Rect[50 500 150 520]/F 4/DA(/F 12 Tf 0 g)/AP<</N 10 0 R>>>>", b"[6 0 R]",
                  b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", b"[6 0 R]", stream(b"/Type/XObject/Subtype/Form/BBox[0 0 100 20]", b"")])


def material(folder):
    """{path below the folder: flavour of PDF/A that it is, or None}"""
    base = os.path.join(ROOT, "made")
    plain = page_of(b"/MediaBox[0 0 595 842]")
    put(base, "plain.pdf", plain)
    files = {"plain.pdf": None, "in/a folder/Công văn số 1.pdf": None}
    put(folder, "plain.pdf", plain)
    put(os.path.join(folder, "in/a folder"), "Công văn số 1.pdf", page_of(b"/MediaBox[0 0 420 595]"))
    put(folder, "no-end-of-line.pdf", plain.rstrip())
    put(folder, "form.pdf", form())
    put(folder, "crop.pdf", page_of(b"/MediaBox[-100 -50 700 900]/CropBox[20 30 500 700]"))
    put(folder, "unit.pdf", page_of(b"/MediaBox[0 0 595 842]/UserUnit 2.5"))
    put(folder, "files.pdf", attached(b"x"))
    for name, words in (("streams.pdf", ["--object-streams=generate"]), ("linearized.pdf", ["--linearize"]), ("pdf-2.0.pdf", ["--force-version=2.0"]),
                        ("streams-linearized.pdf", ["--linearize", "--object-streams=generate"])):
        qpdf(os.path.join(base, "plain.pdf"), os.path.join(folder, name), *words)
    for turn in (90, 180, 270):
        qpdf(os.path.join(base, "plain.pdf"), os.path.join(folder, f"turned-{turn}.pdf"), f"--rotate=+{turn}")
    files.update({name: None for name in os.listdir(folder) if name.endswith(".pdf")})
    # PDF/A of three parts, and one with a person's signature
    for name, settings in (("2b.pdf", []), ("3b.pdf", ["--set", "convert.attachments=embed"])):
        source, out = os.path.join(ROOT, "source-" + name), os.path.join(ROOT, "made-" + name)
        put(source, "a.pdf", attached(b"x", first=b"(a)8 0 R"))
        run(ARKSEAL, "run", source, "--profile", "pdfa-only", "--out", out, "--set", "convert.ocr=none", *settings)
        shutil.copy(os.path.join(out, "a.pdf"), os.path.join(folder, name))
        files[name] = name[:2]
    shutil.copy(os.path.join(RECEIVED, "da-ky.pdf"), folder)
    files["da-ky.pdf"] = "2b"
    return files


def refused(folder):
    """{path below the folder: code of its notice}"""
    qpdf(os.path.join(folder, "plain.pdf"), os.path.join(folder, "locked.pdf"), "--encrypt", "user", "owner", "256", "--")
    put(folder, "words.pdf", b"no PDF")
    put(folder, "cut.pdf", get(folder, "plain.pdf")[:400])
    put(os.path.join(folder, "scans"), "1.jpg", get(SOURCE, "fixtures/backlog/G09/hop-01/ho-so-02/anh-khanh-thanh.jpg"))
    put(folder, "letter.docx", b"PK\x03\x04")
    return ["locked.pdf", "words.pdf", "cut.pdf", "scans", "letter.docx"]


def by_path(lines):
    found = {}
    for line in lines:
        word = line.split("\t")
        found.setdefault(next((w for w in word if w.startswith(ROOT)), ""), []).append(word)
    return found


def judge(faults, out, files):
    paths = {name: os.path.join(out, name) for name in files}
    there = sorted(os.path.relpath(os.path.join(f, n), out) for f, _, names in os.walk(out) for n in names
                   if not os.path.relpath(f, out).startswith((".arkseal", "quarantine")))
    if not faults.check(there == sorted(files), f"there are {there}"):
        return
    trust = [w for root in (os.path.join(PKI, "root.pem"), os.path.join(SOURCE, "fixtures/pki/people-root.pem")) for w in ("--trust", root)]
    _, lines, said = ask(os.path.join(JUDGES, "dss"), *trust, "--level", "LTA", *paths.values())
    dss = by_path(lines)
    _, lines, told = ask(os.path.join(JUDGES, "pyhanko"), *trust, *paths.values())
    pyhanko = by_path(lines)
    for name, path in paths.items():
        rows, others = dss.get(path, []), pyhanko.get(path, [])
        faults.check(rows and all(r[0] == "PASS" for r in rows) and any(r[1] == "PAdES-BASELINE-LTA" for r in rows), f"DSS: {name}: {rows or said}")
        faults.check(others and all(r[0] == "PASS" for r in others), f"pyHanko: {name}: {others or told}")
        status, lines, said = ask("pdfsig", "-nocert", path)
        faults.check(status == 0 and any("Signature is Valid" in line for line in lines), f"pdfsig: {name}: {lines} {said}")
        faults.check(ask("qpdf", "--check", path)[0] == 0, f"qpdf: {name}")
    for flavour in ("2b", "3b"):
        _, lines, said = ask(os.path.join(JUDGES, "verapdf"), "-f", flavour, *(paths[n] for n, f in files.items() if f == flavour))
        faults.check(lines and all(line.startswith("PASS") for line in lines), f"veraPDF: {lines} {said}")


def main():
    faults = Faults()
    backlog, out = os.path.join(ROOT, "backlog"), os.path.join(ROOT, "out")
    shutil.rmtree(ROOT, ignore_errors=True)
    os.makedirs(backlog)
    files, bad = material(backlog), refused(backlog)
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    words = (ARKSEAL, "run", backlog, "--profile", "sign-only", "--out", out, "--site", SITE, "--set", "ingest.settle-seconds=0")
    try:
        run(*words, expect=1, env=token_environment())
        first = {name: get(out, name) for name in files if os.path.exists(os.path.join(out, name))}
        run(*words, expect=1, env=token_environment())
    finally:
        run(TESTPKI, "stop", PKI)
    for name, data in first.items():
        faults.check(data.startswith(get(backlog, name)), f"{name} does not begin with its own bytes")
        faults.check(get(out, name) == data, f"{name}: the second run has signed it again")
    judge(faults, out, files)
    notices = {n.removesuffix(".txt") for n in os.listdir(os.path.join(out, "quarantine")) if n.endswith(".txt")}
    faults.check(notices == set(bad), f"set aside: {sorted(notices)}")
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
