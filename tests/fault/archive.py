"""What the fault tests share: a made backlog, a run of arkseal on it with the test PKI, and what must hold of the archive afterwards."""
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import zlib

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["ARKSEAL_BUILD"]
ARKSEAL = os.path.join(BUILD, "pipeline", "arkseal")
TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
sys.path.insert(0, os.path.join(SOURCE, "fixtures", "make"))
import sheets

EACH = 5  # documents of a dossier
WIDTH, HEIGHT = 827, 1169  # A4 at 100 dpi


def fail(text):
    sys.exit(f"FAIL: {text}")


def call(*words, expect=0):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != expect:
        fail(f"exit {done.returncode}, not {expect}: {' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def write_page(path, number):
    """A white page with the number's bits as black bars: no two pages are the same."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = []
    for y in range(HEIGHT):
        bar = (y - 300) // 20
        black = 300 <= y < 300 + 20 * 20 and number >> bar & 1
        rows.append(b"\0" + (b"\xff" * 20 + b"\0" * 60 + b"\xff" * 24 if black else b"\xff" * 104))
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 1, 0, 0, 0, 0)) +
                  chunk(b"pHYs", struct.pack(">IIB", 3937, 3937, 1)) + chunk(b"IDAT", zlib.compress(b"".join(rows))) +
                  chunk(b"IEND", b""))


class Backlog:
    """A fonds T01 that grows by whole dossiers."""

    def __init__(self, folder):
        self.folder = folder
        self.codes = []
        self.rows = []

    def grow(self, dossiers):
        for _ in range(dossiers):
            number = len(self.codes) // EACH + 1
            dossier = f"T01.01.{number:03}"
            documents = []
            for n in range(1, EACH + 1):
                code = f"{dossier}.{n:07}"
                where = os.path.join(self.folder, "T01", "hop-01", f"ho-so-{number:03}")
                os.makedirs(where, exist_ok=True)
                write_page(os.path.join(where, code + ".png"), len(self.codes) + 1)
                self.codes.append(code)
                documents.append(sheets.document(f"Văn bản thử {code}", 1, process="Quét từ bản giấy"))
            self.rows += sheets.dossier(dossier, f"Hồ sơ thử {dossier}", documents)
        sheets.write_csv(os.path.join(self.folder, "T01", "metadata.csv"), self.rows)


class Pki:
    """The test authorities, served as long as the block lasts."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        call(TESTPKI, "start", self.folder)
        return self

    def __exit__(self, *_):
        call(TESTPKI, "stop", self.folder)

    def set(self, *switches):
        call(TESTPKI, "set", self.folder, *switches)

    def stamps(self):
        count = json.loads(call(TESTPKI, "count", self.folder))
        return count["tsa"] + count.get("tsa2", 0)

    def environment(self):
        env = dict(os.environ)
        with open(os.path.join(self.folder, "env"), encoding="utf-8") as file:
            for line in file:
                name, _, value = line.replace("export ", "").strip().partition("=")
                if value:
                    env[name] = value.strip("'\"")
        return env


class Archive:
    def __init__(self, pki, backlog, out):
        self.pki, self.backlog, self.out = pki, backlog, out

    def start(self, *more):
        words = [ARKSEAL, "run", self.backlog.folder, "--profile", "vn-digitised", "--out", self.out,
                 "--site", os.path.join(self.pki.folder, "site.yaml"), "--jobs", "2", "--log", "json",
                 "--set", "convert.ocr=none", "--set", "ingest.settle-seconds=0", "--set", "convert.min-dpi=72", *more]
        # A file, not a pipe: what is left of a killed run must not hold the reader.
        self.log = open(self.pki.folder + ".log", "w+", encoding="utf-8")
        return subprocess.Popen(words, env=self.pki.environment(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                start_new_session=True)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def events(self):
        return [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]

    def run(self, *more, expect=0):
        code = self.start(*more).wait(timeout=600)
        if code != expect:
            fail(f"exit {code}, not {expect}: {self.said()[-3000:]}")

    def discarded(self):
        """Why uses of the key were discarded, as the records tell."""
        database = sqlite3.connect(f"file:{self.out}/.arkseal/ledger.sqlite?mode=ro", uri=True)
        records = [json.loads(row[0]) for row in database.execute(
            "SELECT record FROM items JOIN steps ON at = (SELECT max(at) FROM steps WHERE at / 256 = serial) WHERE package = 0")]
        database.close()
        return [event["detail"].split(";")[0] for record in records for event in record.get("events", [])
                if event["type"] == "digital signature generation" and event["outcome"] == "failure"]

    def remove(self):
        shutil.rmtree(self.out, ignore_errors=True)

    def packages(self):
        return sorted(n for n in os.listdir(self.out) if os.path.exists(os.path.join(self.out, n, "METS.xml")))

    def check(self):
        """Each document once, signed once, valid; and nothing else."""
        packages = self.packages()
        beside = {name for package in packages for name in (package, package + ".METS.p7s")} | {".arkseal"}
        strangers = [n for n in os.listdir(self.out) if n not in beside and (n != "quarantine" or os.listdir(f"{self.out}/{n}"))]
        if strangers:
            fail(f"strangers in the archive: {strangers}")
        found = [name for package in packages
                 for name in os.listdir(os.path.join(self.out, package, "representations", "rep1", "data"))]
        if sorted(found) != sorted(f"{code}.pdf" for code in self.backlog.codes):
            fail(f"documents: {sorted(found)}")
        left = os.listdir(os.path.join(self.out, ".arkseal", "work"))
        if left:
            fail(f"left in the work folder: {left}")
        trust = ["--trust", os.path.join(self.pki.folder, "root.pem")]
        done = subprocess.run([ARKSEAL, "validate", "--format", "json", *trust, self.out], capture_output=True, text=True, check=False)
        reports = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0 or any(report["verdict"] != "valid" for report in reports):
            fail(f"validate: exit {done.returncode}: {[r for r in reports if r['verdict'] != 'valid'][:3]}")
        kinds = [[s["type"] for s in r["signatures"]] for r in reports if r["kind"] == "pdf"]
        if len(kinds) != len(self.backlog.codes) or any(k != ["signature", "timestamp"] for k in kinds):
            fail(f"signatures of documents: {kinds}")


def family(pid):
    """{pid: name} of the supervisor's children, by what they do."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            comm, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            if int(rest[1]) == pid and rest[0] != "Z":
                found[int(name)] = comm.removeprefix("arkseal:")
    return found


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
