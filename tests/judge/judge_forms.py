"""The forms of signatures, on PDFs of each kind: EU DSS, pyHanko and poppler find them valid, what was PDF/A stays it, words stand where the rules want
them, seals have their real size, and nothing on the page is covered."""
import os
import shutil
import subprocess
import sys

from PIL import Image

from common import ARKSEAL, BUILD, JUDGES, ORGANISATION, PKI, SOURCE, WORK, Faults, ask, run, token_environment
from judge_received import attached, get, place, put
from judge_sign_only import page_of, qpdf

TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
CORPUS = os.environ.get("ARKSEAL_CORPUS", os.path.join(SOURCE, "..", "shared", "corpus"))
ROOT = os.path.join(WORK, "forms")
TRUST = ["--trust", os.path.join(PKI, "root.pem")]
SEAL_MM, DPI = 36, 100
# form: profile, settings, words that it shows, whether it has the seal
FORMS = {
    "attachment": ("vn-attachment", ["sign.appearance.reference=12/QĐ-UBND"], ["12/QĐ-UBND"], False),
    "certified-copy": ("vn-certified-copy", [], ["BẢN", "SAO", "Trung"], False),
    "sealed": ("sign-only", ["sign.appearance.picture=seal", "sign.appearance.taken=move"], ["Trung"], True),
    "seal-above": ("sign-only", ["sign.appearance.picture=seal", "sign.appearance.picture-side=above", "sign.appearance.taken=move"], ["Trung"], True),
    "seal-alone": ("sign-only", ["sign.appearance.picture=seal", 'sign.appearance.text=""', "sign.appearance.taken=move"], [], True),
}


def site():
    path = os.path.join(PKI, "site-stamps.yaml")
    with open(os.path.join(PKI, "site.yaml"), encoding="utf-8") as source, open(path, "w", encoding="utf-8") as to:
        to.write(source.read())
        for name in ("seal", "signature"):
            to.write(f'{name}-picture: "{os.path.join(SOURCE, "fixtures", "stamps", name + ".png")}"\n')
    return path


def material(folder):
    """{name: flavour or None}"""
    files = {"plain.pdf": None, "turned.pdf": None, "crop.pdf": None, "2b.pdf": "2b", "3b.pdf": "3b"}
    put(folder, "plain.pdf", page_of(b"/MediaBox[0 0 595 842]"))
    put(folder, "crop.pdf", page_of(b"/MediaBox[-100 -50 700 900]/CropBox[20 30 520 700]"))
    qpdf(os.path.join(folder, "plain.pdf"), os.path.join(folder, "turned.pdf"), "--rotate=+90")
    for name, settings in (("2b", []), ("3b", ["--set", "convert.attachments=embed"])):
        source, out = os.path.join(ROOT, "source-" + name), os.path.join(ROOT, "made-" + name)
        put(source, "a.pdf", attached(b"x", first=b"(a)8 0 R").replace(b"0 0 300 200", b"0 0 595 842"))
        run(ARKSEAL, "run", source, "--profile", "pdfa-only", "--out", out, "--set", "convert.ocr=none", *settings)
        shutil.copy(os.path.join(out, "a.pdf"), os.path.join(folder, name + ".pdf"))
    files.update(archival_1b(folder))
    return files


def archival_1b(folder, n=2):
    """PDF/A-1 of the corpus, which permits no transparency: some with pages that are large enough."""
    found, manifest = {}, os.path.join(CORPUS, "pdfa", "manifest.tsv")
    for row in open(manifest, encoding="utf-8") if os.path.exists(manifest) else []:
        word = row.rstrip("\n").split("\t")
        if len(found) == n or word[8:9] != ["1b"] or word[11:12] != ["pass"] or not word[0].startswith("veraPDF"):
            continue
        size = subprocess.run(["pdfinfo", os.path.join(CORPUS, "pdfa", word[0])], capture_output=True, text=True).stdout
        sides = next((line.split()[2::2][:2] for line in size.splitlines() if line.startswith("Page size")), [])
        # Some try the limits of readers: MuPDF, which looks for the free place, does not draw them.
        drawn_by = subprocess.run(["mutool", "draw", "-r", "20", "-o", os.devnull, os.path.join(CORPUS, "pdfa", word[0])], capture_output=True, text=True)
        if len(sides) == 2 and min(map(float, sides)) > 400 and "error:" not in drawn_by.stderr:
            name = f"1b-{len(found)}.pdf"
            shutil.copyfile(os.path.join(CORPUS, "pdfa", word[0]), os.path.join(folder, name))
            found[name] = "1b"
    return found


def sign(backlog, name, expect=0):
    profile, settings, _, _ = FORMS[name]
    out = os.path.join(ROOT, name)
    run(ARKSEAL, "run", backlog, "--profile", profile, "--out", out, "--site", site(), "--set", "ingest.settle-seconds=0",
        *(w for s in settings for w in ("--set", s)), expect=expect, env=token_environment())
    return out


def drawn(path):
    to = os.path.join(ROOT, "page")
    subprocess.run(["pdftoppm", "-r", str(DPI), "-f", "1", "-l", "1", "-png", "-singlefile", path, to], check=True)
    return Image.open(to + ".png").convert("RGB")


def reds(picture):
    """The box of what is red."""
    mask = Image.eval(picture.getchannel("R"), lambda v: 255 * (v > 150))
    for channel in "GB":
        mask = Image.composite(mask, Image.new("L", mask.size), Image.eval(picture.getchannel(channel), lambda v: 255 * (v < 110)))
    return mask.getbbox()


def check_look(faults, backlog, form, name, path):
    """Words at the top right corner; the seal in its size; every dark pixel that was there is there."""
    before, after = drawn(os.path.join(backlog, name)), drawn(path)
    _, _, words, sealed = FORMS[form]
    for word in words:
        box = place(path, word)
        faults.check(box is not None and box[0] > after.width * 72 / DPI * 0.4 and box[1] < after.height * 72 / DPI * 0.4, f"{form}, {name}: {word} at {box}")
    box = reds(after)
    faults.check((box is not None) == sealed, f"{form}, {name}: red at {box}")
    if box is not None and sealed:
        sides = [(box[i + 2] - box[i]) * 25.4 / DPI for i in (0, 1)]
        faults.check(all(abs(side - 0.96 * SEAL_MM) < 0.8 for side in sides), f"{form}, {name}: the seal is {sides} mm large")
    covered = sum(1 for was, now in zip(before.convert("L").tobytes(), after.convert("L").tobytes()) if was < 60 and now > was + 30)
    faults.check(covered == 0 and before.size == after.size, f"{form}, {name}: {covered} dark pixels are covered")


def judge(faults, backlog, made, files):
    """made: {form: folder}"""
    paths = [os.path.join(out, name) for out in made.values() for name in files]
    lines = {judge: ask(os.path.join(JUDGES, judge), *TRUST, *more, *paths)[1] for judge, more in (("dss", ["--level", "LTA"]), ("pyhanko", []))}
    for form, out in made.items():
        for name, flavour in files.items():
            path = os.path.join(out, name)
            for who, told in lines.items():
                rows = [line for line in told if path in line.split("\t")]
                faults.check(rows and all(line.startswith("PASS") for line in rows), f"{who}: {form}, {name}: {rows}")
            check_look(faults, backlog, form, name, path)
            signed = ask("pdfsig", "-nocert", path)[1]
            faults.check(any("Signature is Valid" in line for line in signed), f"pdfsig: {form}, {name}: {signed}")
    for flavour in ("1b", "2b", "3b"):
        mine = [os.path.join(out, name) for out in made.values() for name, f in files.items() if f == flavour]
        told = ask(os.path.join(JUDGES, "verapdf"), "-f", flavour, *mine)[1] if mine else []
        faults.check(len(told) >= len(mine) and all(line.startswith("PASS") for line in told), f"veraPDF {flavour}: {told}")


def check_copy(faults):
    """A scan becomes a copy with the seal, beside what the page shows; a page without room is held."""
    scans, out = os.path.join(ROOT, "scans"), os.path.join(ROOT, "copy")
    page = os.path.join(SOURCE, "fixtures", "backlog", "G09", "hop-01", "ho-so-01", "G09.01.001.0000001", "trang-01.jpg")
    put(os.path.join(scans, "letter"), "1.jpg", get(page))
    os.makedirs(os.path.join(scans, "full"))
    Image.new("RGB", (1654, 2339), "black").save(os.path.join(scans, "full", "1.tif"), dpi=(200, 200), compression="tiff_lzw")
    FORMS["copy"] = ("vn-copy", ["convert.checks.blank-page=off"], [], True)
    sign(scans, "copy", expect=1)
    made = os.path.join(out, "letter.pdf")
    told = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True).stdout
    faults.check("SAO Y" in told and ORGANISATION in told, f"copy: {told[-200:]}")
    faults.check(ask(os.path.join(JUDGES, "verapdf"), "-f", "2b", made)[1][0].startswith("PASS"), "copy: no PDF/A by veraPDF")
    faults.check("sign.appearance.taken" in get(out, "quarantine", "full.txt").decode(), "full: the notice does not say so")
    del FORMS["copy"]


def check_refused(faults, backlog):
    """Without its number an attachment waits; without its picture nothing is signed."""
    FORMS["no-reference"] = ("vn-attachment", [], [], False)
    out = sign(backlog, "no-reference", expect=1)
    faults.check("reference" in get(out, "quarantine", "plain.pdf.txt").decode(), "no-reference: the notice does not say so")
    done = subprocess.run([ARKSEAL, "run", backlog, "--profile", "sign-only", "--out", os.path.join(ROOT, "no-stamp"), "--site", os.path.join(PKI, "site.yaml"), "--set",
                           "ingest.settle-seconds=0", "--set", "sign.appearance.picture=seal"], capture_output=True, text=True, env=token_environment())
    faults.check(done.returncode == 3 and "seal-picture" in done.stderr, f"no-stamp: exit {done.returncode}: {done.stderr[-300:]}")
    del FORMS["no-reference"]


def main():
    faults = Faults()
    backlog = os.path.join(ROOT, "in")
    shutil.rmtree(ROOT, ignore_errors=True)
    os.makedirs(backlog)
    files = material(backlog)
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    try:
        made = {form: sign(backlog, form) for form in FORMS}
        check_copy(faults)
        check_refused(faults, backlog)
    finally:
        run(TESTPKI, "stop", PKI)
    judge(faults, backlog, made, files)
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
