"""What the judge tests share: where things are, which fixture became which document, how to ask a program.

ARKSEAL_BUILD names the build folder; the archives that `make_archives.py` fills lie in its folder judge/.
"""
import json
import os
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["ARKSEAL_BUILD"]
WORK = os.path.join(BUILD, "judge")
PKI = os.path.join(WORK, "pki")
ARKSEAL = os.path.join(BUILD, "pipeline", "arkseal")
BACKLOG = os.path.join(SOURCE, "fixtures", "backlog")
TRUTH = os.path.join(SOURCE, "fixtures", "truth")
JUDGES = os.path.join(SOURCE, "tools", "judges")
ORGANISATION = "Trung tâm Lưu trữ lịch sử tỉnh Thử Nghiệm"

PAPERS, PICTURES, RECEIVED, SCANS = "G09/hop-01/ho-so-01", "G09/hop-01/ho-so-02", "G09/hop-02/ho-so-03", "G12/hop-01/ho-so-01"

# document code: its sources below fixtures/backlog, in page order
DOCUMENTS = {
    "G09.01.001.0000001": [f"{PAPERS}/G09.01.001.0000001/trang-01.jpg", f"{PAPERS}/G09.01.001.0000001/trang-02.jpg"],
    "G09.01.001.0000002": [f"{PAPERS}/G09.01.001.0000002.tif"],
    "G09.01.001.0000003": [f"{PAPERS}/G09.01.001.0000003.tif"],
    "G09.01.001.0000004": [f"{PAPERS}/G09.01.001.0000004.tif"],
    "G09.01.001.0000005": [f"{PAPERS}/G09.01.001.0000005.tif"],
    "G09.01.002.0000001": [f"{PICTURES}/cong-van/1.png", f"{PICTURES}/cong-van/2.png"],
    "G09.01.002.0000002": [f"{PICTURES}/anh-khanh-thanh.jpg"],
    "G09.01.002.0000003": [f"{PICTURES}/ban-do.jpg"],
    "G09.01.002.0000004": [f"{PICTURES}/nam-ngang.jpg"],
    "G09.02.003.0000001": [f"{RECEIVED}/van-ban-den.pdf"],
    "G09.02.003.0000002": [f"{RECEIVED}/pdfa.pdf"],
    "G09.02.003.0000003": [f"{RECEIVED}/khai-sai.pdf"],
    "G09.02.003.0000004": [f"{RECEIVED}/da-ky.pdf"],
    "G09.02.003.0000005": [f"{RECEIVED}/da-ky-khai-sai.pdf"],
    "G12.01.001.0000001": [f"{SCANS}/phototest.tif"],
    "G12.01.001.0000002": [f"{SCANS}/deslant.tif"],
}
# Signed by somebody else and wrongly said to be PDF/A: kept byte for byte, with the event "false claim".
FALSE_CLAIM = "G09.02.003.0000005"
# What fixtures/backlog holds to be refused or set aside, and a word that its notice must have.
BAD = {"rong.jpg": "rong.jpg", "bi-cat.jpg": "bi-cat.jpg", "khong-phai-anh.jpg": "khong-phai-anh.jpg", "bi-mat.jpg": "bi-mat.jpg",
       "khong-co-dong.jpg": "khong-co-dong.jpg", "khong-co-tep.jpg": "khong-co-tep.jpg", "sai-ma.jpg": "77"}


class Faults:
    """Collects what is wrong, so that one run shows all of it."""

    def __init__(self):
        self.count = 0
        self.checks = 0

    def check(self, right, text):
        self.checks += 1
        if not right:
            self.count += 1
            print("FAIL:", text)
        return right

    def end(self):
        print(f"{self.checks - self.count} passed, {self.count} failed")
        sys.exit(1 if self.count or not self.checks else 0)


def run(*words, expect=0, text=True, env=None):
    """Runs a program and returns its output; another exit status than expected ends the test."""
    done = subprocess.run(words, capture_output=True, text=text, env=env)
    if done.returncode != expect:
        sys.exit(f"exit {done.returncode}, not {expect}: {' '.join(words)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def ask(*words):
    """A program whose verdict is in its output: (exit status, lines)."""
    done = subprocess.run(words, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr


def token_environment(pki=PKI):
    """The environment with the test token's configuration."""
    env = dict(os.environ)
    with open(os.path.join(pki, "env"), encoding="utf-8") as file:
        for line in file:
            name, _, value = line.replace("export ", "").strip().partition("=")
            if value:
                env[name] = value.strip("'\"")
    return env


def packages(archive):
    """Package folders of an archive."""
    return sorted(os.path.join(archive, n) for n in os.listdir(archive)
                  if os.path.exists(os.path.join(archive, n, "METS.xml")))


def pdfs(archive):
    """{document code: path} of the documents in packages."""
    found = {}
    for package in packages(archive):
        data = os.path.join(package, "representations", "rep1", "data")
        for name in os.listdir(data):
            found[name.removesuffix(".pdf")] = os.path.join(data, name)
    return found


def images(pdf):
    """The image objects of a PDF, page by page: (page from 1, object, filters, dictionary) by qpdf."""
    listed = json.loads(run("qpdf", "--json=1", "--json-key=pages", pdf))
    for number, page in enumerate(listed["pages"], 1):
        for image in page["images"]:
            yield number, image["object"].split()[0], image["filter"], image


def stream(pdf, number, raw):
    return run("qpdf", f"--show-object={number}", "--raw-stream-data" if raw else "--filtered-stream-data", pdf, text=False)
