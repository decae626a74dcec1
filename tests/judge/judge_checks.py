"""Documents that need a person, as the user meets them: a mark of secrecy is refused and leaves no trace of its page; what a check holds goes
on after `retry --accept`; text that lies upside down is found where it lies."""
import os
import shutil
import subprocess
import sys
from xml.etree import ElementTree

from PIL import Image, ImageDraw, ImageFont

from common import ARKSEAL, WORK, Faults

FACE = "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf"
LINES = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "Căn cứ Luật Lưu trữ ngày 21 tháng 6 năm 2024;",
         "Xét đề nghị của Chánh Văn phòng Ủy ban nhân dân tỉnh,", "nay quyết định ban hành quy chế công tác văn thư."]
SECRET = "Kế hoạch Zumbrota của tỉnh"  # a word that stands nowhere else


def page(lines, stamp=None):
    picture = Image.new("RGB", (1654, 2339), "white")
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(lines):
        draw.text((250, 300 + 70 * i), line, font=ImageFont.truetype(FACE, 42), fill="black")
    if stamp:
        draw.rectangle((180, 150, 520, 230), outline=(200, 30, 30), width=4)
        draw.text((215, 165), stamp, font=ImageFont.truetype(FACE, 44), fill=(200, 30, 30))
    return picture


def save(picture, folder, name):
    os.makedirs(folder, exist_ok=True)
    picture.save(os.path.join(folder, name), dpi=(200, 200))


def run(faults, expected, *words):
    done = subprocess.run([ARKSEAL, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    faults.check(done.returncode == expected, f"exit {done.returncode}, not {expected}: {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def holds(folder, words):
    """The files below a folder, and their names, that hold one of the words."""
    found = []
    for at, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(at, name), "rb") as file:
                data = file.read()
            if any(w.encode() in data or w in name for w in words):
                found.append(os.path.join(at, name))
    return found


def main():
    faults = Faults()
    root = os.path.join(WORK, "checks")
    shutil.rmtree(root, ignore_errors=True)
    backlog, archive = os.path.join(root, "in"), os.path.join(root, "out")
    blank = Image.new("RGB", (1654, 2339), (247, 246, 240))
    save(page(LINES), os.path.join(backlog, "plain"), "1.png")
    save(page(LINES), os.path.join(backlog, "secret"), "1.png")
    save(page([SECRET], "TUYỆT MẬT"), os.path.join(backlog, "secret"), "2.png")
    save(page(LINES), os.path.join(backlog, "blank"), "1.png")
    save(blank, os.path.join(backlog, "blank"), "2.png")
    save(page(LINES).rotate(180), os.path.join(backlog, "turned"), "1.png")
    options = ["--profile", "pdfa-only", "--out", archive, "--jobs", "2", "--set", "convert.secret=refuse",
               "--set", "convert.secret-marks=[TUYỆT MẬT, TỐI MẬT, MẬT]", "--set", "convert.secret-article=art. 2.2",
               "--set", "convert.sidecars=[alto, text]", "--set", "convert.checks.blank-page=hold", "--set", "convert.checks.turned-page=note"]

    said = run(faults, 1, "run", backlog, *options)
    made = sorted(n for n in os.listdir(archive) if n.endswith(".pdf"))
    faults.check(made == ["plain.pdf", "turned.pdf"], f"made: {made}\n{said}")
    notices = {n: open(os.path.join(archive, "quarantine", n), encoding="utf-8").read() for n in os.listdir(os.path.join(archive, "quarantine"))}
    faults.check("art. 2.2" in notices.get("secret.txt", ""), f"the notice names no rule: {notices.get('secret.txt')}")
    faults.check("retry --accept" in notices.get("blank.txt", ""), f"the notice says no way on: {notices.get('blank.txt')}")
    report = run(faults, 0, "report", archive) + run(faults, 0, "status", archive)
    traces = holds(archive, ["Zumbrota", "TUYỆT"])
    faults.check(not traces and "Zumbrota" not in report + said, f"traces of a secret page: {traces}")
    left = os.listdir(os.path.join(archive, ".arkseal", "work")) if os.path.isdir(os.path.join(archive, ".arkseal", "work")) else []
    faults.check(not [n for n in left if "secret" in n], f"work copies of a secret document: {left}")

    with open(os.path.join(archive, "plain.txt"), encoding="utf-8") as file:
        words = file.read()
    faults.check("Chánh Văn phòng Ủy ban nhân dân" in words and words.endswith("\f"), f"plain text: {words}")
    alto = ElementTree.parse(os.path.join(archive, "plain.alto.xml"))
    strings = [s.get("CONTENT") for s in alto.iter("{http://www.loc.gov/standards/alto/ns-v4#}String")]
    faults.check(" ".join(strings) == " ".join(words.split()), f"ALTO and plain text differ: {strings}")

    text = subprocess.run(["pdftotext", os.path.join(archive, "turned.pdf"), "-"], capture_output=True, text=True).stdout
    faults.check("Chánh Văn phòng" in text, f"turned text is not found: {text}")

    again = os.path.join(root, "again")
    run(faults, 1, "run", backlog, *[again if word == archive else "1" if word == "2" else word for word in options])
    for name in [n for n in os.listdir(archive) if n.split(".")[-1] in ("pdf", "txt", "xml")]:
        with open(os.path.join(archive, name), "rb") as a, open(os.path.join(again, name), "rb") as b:
            faults.check(a.read() == b.read(), f"{name}: the same input gives other bytes")

    run(faults, 0, "retry", archive, "blank")
    run(faults, 1, "run", backlog, *options)
    faults.check(not os.path.exists(os.path.join(archive, "blank.pdf")), "retry without --accept lets through what is held")
    run(faults, 0, "retry", "--accept", archive)
    run(faults, 1, "run", backlog, *options)  # the secret one is refused as before
    faults.check(os.path.exists(os.path.join(archive, "blank.pdf")), "an accepted document is not made")
    faults.check(not os.path.exists(os.path.join(archive, "secret.pdf")), "a secret document was made")
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
