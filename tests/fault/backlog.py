#!/usr/bin/python3
"""A backlog that is worked in between runs, and during them:  backlog.py LIVING_ARKSEAL ARKSEAL

LIVING_ARKSEAL: the real ingest, then stages that do next to nothing."""
import csv
import fcntl
import hashlib
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

living, real = sys.argv[1:3]
PLAIN = """name: test
stages: [ingest, convert]
ingest:
  layout: plain
  unfinished: ["*.part"]
"""
SIGNED = PLAIN.replace("convert]", "convert, sign]") + "limits:\n  pause-limit-s: 1\n"
DOSSIERS = """name: test
stages: [ingest, convert, sign, bundle, validate]
ingest:
  layout: dossiers
  spreadsheets: [list.csv]
  unfinished: ["*.part"]
  dossier-field: arcFileCode
  ordinal-field: docOrdinal
  code-field: docCode
  ordinal-digits: 1
  columns:
    - {field: arcFileCode, titles: [file], dossier: true, required: true}
    - {field: title, titles: [title], dossier: true, required: true}
    - {field: docOrdinal, titles: [number], required: true, format: number}
    - {field: path, titles: [path]}
    - {field: secrecy, titles: [secrecy]}
  refuse:
    - {field: secrecy, values: [secret], reason: secret, article: test}
"""


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAIL: {what}: {found!r}, wanted {wanted!r}")


class Backlog:
    """A backlog and the archive that is made of it."""

    def __init__(self, here, profile, tool=living):
        self.here, self.backlog, self.out = here, os.path.join(here, "in"), os.path.join(here, "out")
        os.mkdir(self.backlog)
        self.write("../test.yaml", profile)
        self.write("../site.yaml", 'organisation: Test\nkey: "pkcs11:token=x"\njobs: 2\n')
        self.tool = tool
        self.command = [tool, "run", self.backlog, "--profile", f"{here}/test.yaml", "--site", f"{here}/site.yaml",
                        "--out", self.out, "--log", "json"]

    def at(self, name):
        return os.path.join(self.backlog, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name), "w", encoding="utf-8") as file:
            file.write(text)

    def rows(self, *rows, fonds="F"):
        """Rows (dossier, number, path[, secrecy[, title]])."""
        lines = ["file;title;number;path;secrecy"]
        for dossier, number, path, *more in rows:
            lines.append(f"{dossier};{more[1] if len(more) > 1 else 'T'};{number};{path};{more[0] if more else ''}")
        self.write(f"{fonds}/list.csv", "\n".join(lines) + "\n")

    def rename(self, old, new):
        os.makedirs(os.path.dirname(self.at(new)), exist_ok=True)
        os.rename(self.at(old), self.at(new))

    def run(self, wanted, *words):
        done = subprocess.run([*self.command, *words], stderr=subprocess.PIPE, text=True, check=False)
        events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        if done.returncode != wanted:
            sys.exit(f"FAIL: exit {done.returncode}, wanted {wanted}:\n{done.stderr}")
        return events

    def result(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def results(self):
        """Names of what has been published, without the archive's own folders and the seals."""
        found = []
        for folder, _, files in os.walk(self.out):
            below = os.path.relpath(folder, self.out)
            if not below.startswith((".arkseal", "quarantine")):
                found += [os.path.normpath(os.path.join(below, name)) for name in files if not name.endswith(".seal")]
        return sorted(found)

    def notices(self):
        folder = os.path.join(self.out, "quarantine")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def report(self, *words):
        return subprocess.run([self.tool, "report", self.out, *words], capture_output=True, text=True, check=True).stdout


def of(events, kind, *members):
    found = [tuple(e.get(m) for m in members) for e in events if e["event"] == kind]
    return [f[0] for f in found] if len(members) == 1 else found


def worked_on(events, stage="convert"):
    return sorted(e["id"] for e in events if e["event"] == "stage" and e["stage"] == stage)


def tree(folder):
    """What is in an archive: the digest of each file."""
    found = {}
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            if ".arkseal" not in path:
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


# Still being written


def unfinished_documents(here):
    b = Backlog(here, PLAIN)
    b.write("a.pdf", "one")
    b.write("b.pdf.part", "tw")
    events = b.run(0)
    expect("left", of(events, "unsettled", "documents"), [1])
    expect("results", b.results(), ["a.pdf"])
    expect("last event", events[-1]["event"], "finished")
    b.rename("b.pdf.part", "b.pdf")
    events = b.run(0)
    expect("nothing left", of(events, "unsettled", "documents"), [])
    expect("only the new one", worked_on(events), ["b.pdf"])
    b.write("c.pdf", "three")
    with open(b.at("c.pdf"), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        b.run(0)
    expect("locked", b.results(), ["a.pdf", "b.pdf"])
    b.run(0)
    expect("all", b.results(), ["a.pdf", "b.pdf", "c.pdf"])
    expect("nothing to do", worked_on(b.run(0)), [])


def unfinished_dossier(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"), ("B", 1, "h/3.pdf"))
    b.write("F/h/1.pdf", "one")
    b.write("F/h/2.pdf.part", "tw")
    b.write("F/h/3.pdf", "three")
    events = b.run(0)
    expect("left", of(events, "unsettled", "documents"), [1])
    expect("packages", b.results(), ["AIP_B/B.1"])
    b.run(0)
    expect("still waits", b.results(), ["AIP_B/B.1"])
    b.rename("F/h/2.pdf.part", "F/h/2.pdf")
    b.run(0)
    expect("whole", b.results(), ["AIP_A/A.1", "AIP_A/A.2", "AIP_B/B.1"])


def unfinished_growth(here):
    """A dossier that was whole in the run before, but was not packaged in it, and grows by what is being written."""
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"))
    b.write("F/h/1.pdf", "one")
    b.write("F/h/2.pdf", "wait")
    b.run(3, "--set", "limits.pause-limit-s=0")
    b.write("F/h/3.pdf.part", "thr")
    b.write("F/h/up", "up")
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"), ("A", 3, "h/3.pdf"), ("Z", 1, "h/up"))
    b.run(0)
    expect("waits for the third", b.results(), ["AIP_Z/Z.1"])
    b.rename("F/h/3.pdf.part", "F/h/3.pdf")
    b.run(0)
    expect("all three", b.results(), ["AIP_A/A.1", "AIP_A/A.2", "AIP_A/A.3", "AIP_Z/Z.1"])


def unfinished_spreadsheet(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"))
    b.write("F/h/1.pdf", "one")
    b.write("F/h/2.pdf", "wait")
    b.rows(("B", 1, "h/1.pdf"), fonds="G")
    b.write("G/h/1.pdf", "four")
    b.run(3, "--set", "limits.pause-limit-s=0")
    b.write("F/h/up", "")
    b.write("F/.~lock.list.csv#", "")
    events = b.run(0)
    expect("told", of(events, "sheet-waits", "id", "fonds"), [("F/list.csv", "F")])
    expect("the fonds waits, no other", b.results(), ["AIP_B/B.1"])
    os.unlink(b.at("F/.~lock.list.csv#"))
    os.unlink(b.at("F/h/up"))
    b.run(0)
    expect("done", b.results(), ["AIP_A/A.1", "AIP_A/A.2", "AIP_B/B.1"])


# What came since


def late(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"))
    b.write("F/h/1.pdf", "one")
    b.run(1)
    expect("a file is missing", b.results(), [])
    b.write("F/h/2.pdf", "two")
    b.run(0)
    expect("joined", b.results(), ["AIP_A/A.1", "AIP_A/A.2"])
    before = tree(b.out)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"), ("A", 3, "h/3.pdf"))
    b.write("F/h/3.pdf", "three")
    for _ in range(2):
        b.run(1)
        expect("too late", b.notices(), ["A.3.json", "A.3.txt"])
        expect("the package", {n: d for n, d in tree(b.out).items() if "quarantine" not in n}, before)
    subprocess.run([living, "retry", b.out, "A.3"], check=True, stdout=subprocess.DEVNULL)
    b.run(1)
    expect("put back and too late again", b.notices(), ["A.3.json", "A.3.txt"])
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"), ("A-bs", 1, "h/3.pdf"))
    events = b.run(0)
    expect("withdrawn", of(events, "withdrawn", "id"), ["A.3"])
    expect("a supplement", b.results(), ["AIP_A-bs/A-bs.1", "AIP_A/A.1", "AIP_A/A.2"])
    expect("notices", b.notices(), [])


# Changed


def changed_after(here):
    b = Backlog(here, PLAIN)
    b.write("a.pdf", "one")
    b.write("b.pdf", "two")
    b.run(0)
    before = tree(b.out)
    b.write("a.pdf", "other")
    events = b.run(0)
    expect("told", of(events, "remark", "id", "code"), [("a.pdf", "source-changed")])
    expect("nothing done", worked_on(events), [])
    expect("told once", of(b.run(0), "remark", "id"), [])
    expect("in the report", "a.pdf" in b.report(), True)
    remarks = [bool(row["remarks"]) for row in csv.DictReader(io.StringIO(b.report("--csv"), newline=""))]
    expect("in the table", sorted(remarks), [False, True])
    expect("on the page", b.report("--html").count("<td>a.pdf</td>"), 1)
    b.write("a.pdf", "third")
    expect("changed again", of(b.run(0), "remark", "code"), ["source-changed"])
    expect("the archive", tree(b.out), before)
    b.write("a.pdf", "one")
    b.run(0)
    expect("as it was", "a.pdf" in b.report(), False)


def changed_under_way(here):
    """Converted but not signed: what is published is made of what was taken."""
    b = Backlog(here, SIGNED)
    b.write("d/a.pdf", "wait one")
    b.run(3)
    b.write("d/a.pdf", "other")
    b.write("d/up", "up")
    events = b.run(0)
    expect("told", of(events, "remark", "id", "code"), [("d/a.pdf", "source-changed")])
    expect("not mixed", b.result("d/a.pdf"), "wait oneconverted\nsigned d/a.pdf\n")


def row_changed(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"))
    b.write("F/h/1.pdf", "one")
    b.run(0)
    b.rows(("A", 1, "h/1.pdf", "", "U"))
    events = b.run(0)
    expect("told", of(events, "remark", "id", "code"), [("A.1", "row-changed")])
    b.rows(("A", 1, "h/1.pdf", "secret"))
    events = b.run(0)
    expect("too late to refuse", of(events, "remark", "id", "code"), [("A.1", "refused-since")])


def refused_under_way(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"), ("B", 1, "h/3.pdf"))
    for n, text in enumerate(("one", "two", "wait"), 1):
        if n != 2:
            b.write(f"F/h/{n}.pdf", text)
    b.run(3, "--set", "limits.pause-limit-s=0")
    b.rows(("A", 1, "h/1.pdf", "secret"), ("A", 2, "h/2.pdf"), ("B", 1, "h/3.pdf", "secret"))
    b.write("F/h/2.pdf", "two")
    events = b.run(1)
    expect("refused", sorted(of(events, "refused", "id")), ["A.1", "B.1"])
    expect("nothing of it", b.results(), [])
    expect("work folder", [n for n in os.listdir(f"{b.out}/.arkseal/work") if "sign.log" != n and not n.endswith(".met")],
           [hashlib.sha256(b"A.2").hexdigest()[:32] + e for e in (".convert.pdf", ".sign.pdf")])


# Left behind


def emptied(here):
    """A share that is not mounted takes no notices away."""
    b = Backlog(here, PLAIN)
    b.write("a.pdf", "one")
    b.write("b.pdf", "fail")
    b.run(1)
    os.rename(b.backlog, b.backlog + ".away")
    os.mkdir(b.backlog)
    b.run(1)
    expect("notices", b.notices(), ["b.pdf.json", "b.pdf.txt"])
    os.rmdir(b.backlog)
    os.rename(b.backlog + ".away", b.backlog)
    os.unlink(b.at("b.pdf"))
    b.run(0)
    expect("notices", b.notices(), [])


def strays(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"))
    b.write("F/h/1.pdf", "one")
    b.run(1)
    work = f"{b.out}/.arkseal/work"
    prefix = hashlib.sha256(b"A.1").hexdigest()[:32]
    kept = sorted(n for n in os.listdir(work) if n.startswith(prefix))
    expect("what waits for its dossier", kept, [prefix + ".convert.pdf", prefix + ".sign.pdf"])
    nobody = hashlib.sha256(b"nobody").hexdigest()[:32]
    for name in (nobody + ".convert.pdf", nobody + ".convert.range-1", prefix + ".convert.range-1", "other"):
        b.write(f"{work}/{name}", "left")
    b.run(1)
    expect("work folder", sorted(n for n in os.listdir(work) if n != "sign.log"), sorted([*kept, prefix + ".convert.range-1", "other"]))


# Moved and copied


def moved(here):
    b = Backlog(here, PLAIN)
    b.write("a.pdf", "one")
    b.write("b.pdf", "two")
    b.write("p/1.jpg", "page 1")
    b.write("p/2.jpg", "page 2")
    b.run(0)
    before = tree(b.out)
    b.rename("a.pdf", "new/c.pdf")
    b.rename("p", "new/q")
    events = b.run(0)
    expect("told", sorted(of(events, "remark", "id", "code")), [("a.pdf", "source-moved"), ("p", "source-moved")])
    expect("not again", worked_on(events), [])
    expect("told once", of(b.run(0), "remark", "id"), [])
    shutil.copy(b.at("new/c.pdf"), b.at("new/d.pdf"))
    events = b.run(0)
    expect("a copy is a document", worked_on(events), ["new/d.pdf"])
    expect("remarks", of(events, "remark", "id", "code"), [("new/d.pdf", "same-sources-as")])
    b.rename("new/c.pdf", "a.pdf")
    b.run(0)
    expect("back", "new/c.pdf" in b.report(), False)
    b.rename("b.pdf", "e.pdf")
    b.write("b.pdf", "a new scan")
    events = b.run(0)
    expect("the place is taken by another", sorted(of(events, "remark", "id", "code")),
           [("b.pdf", "source-changed"), ("e.pdf", "same-sources-as")])
    after = tree(b.out)
    expect("what was there stays", {n: after[n] for n in before}, before)


def moved_under_way(here):
    """Signing waits, so all are under way; then some are moved, in either layout."""
    b = Backlog(here, SIGNED)
    b.write("d/a.pdf", "wait one")
    b.write("d/b.pdf", "wait two")
    b.run(3)
    b.rename("d/b.pdf", "e/b.pdf")
    for folder in "d", "e":  # where sign looks is where the record says that the source lies
        b.write(f"{folder}/up", f"up {folder}")
    events = b.run(0)
    expect("told", of(events, "remark", "id", "code"), [("d/b.pdf", "source-moved")])
    expect("results", [n for n in b.results() if "up" not in n], ["d/a.pdf", "d/b.pdf"])


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def moved_before_convert(here):
    """A run is killed when all documents are entered and none is converted; then they are moved."""
    for profile in PLAIN, DOSSIERS:
        shutil.rmtree(here)
        os.mkdir(here)
        b = Backlog(here, profile)
        old, new = ("d", "e") if profile is PLAIN else ("F/h", "F/k")
        numbers = range(1, 7)
        if profile is DOSSIERS:
            b.rows(("A0", 1, "h/0.pdf"), *[(f"A{n}", 1, f"h/{n}.pdf") for n in numbers])
        b.write(f"{old}/0.pdf", "hang")
        for n in numbers:
            b.write(f"{old}/{n}.pdf", f"text {n}")
        with subprocess.Popen([*b.command, "--jobs", "1"], stderr=subprocess.DEVNULL) as run:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                status = subprocess.run([living, "status", "--json", b.out], capture_output=True, text=True, check=False)
                if status.returncode == 0 and json.loads(status.stdout)["documents"]["ok"] == 7:
                    break
                time.sleep(0.1)
            for pid in [run.pid, *children(run.pid)]:
                os.kill(pid, signal.SIGKILL)
        expect("none is converted", [n for n in os.listdir(f"{b.out}/.arkseal/work") if "convert" in n], [])
        os.unlink(b.at(f"{old}/0.pdf"))
        os.rename(b.at(old), b.at(new))
        if profile is DOSSIERS:
            b.rows(*[(f"A{n}", 1, f"k/{n}.pdf") for n in numbers])
        # The one that hung is gone: it is forgotten as soon as convert has found that out. One that convert was handed before ingest
        # came to it is set aside, and taken anew when ingest names it.
        for _ in range(3):
            done = subprocess.run(b.command, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode == 0:
                break
        expect("all is well in the end", done.returncode, 0)
        expect("each once", sorted(b.result(name).splitlines()[0] for name in b.results()),
               [f"text {n}converted" for n in numbers])


# Set aside, then mended


def mended(here):
    b = Backlog(here, PLAIN)
    b.write("good.pdf", "one")
    with open(os.fsencode(b.backlog) + b"/bad\xff.pdf", "w", encoding="utf-8") as file:
        file.write("two")
    b.write("line\nbreak.pdf", "three")
    b.write("fail.pdf", "fail")
    b.write("gone.pdf", "fail too")
    b.run(1)
    expect("notices", len(b.notices()), 8)
    os.rename(os.fsencode(b.backlog) + b"/bad\xff.pdf", os.fsencode(b.at("bad.pdf")))
    b.rename("line\nbreak.pdf", "line.pdf")
    b.rename("fail.pdf", "failed.pdf")
    os.unlink(b.at("gone.pdf"))
    events = b.run(1)
    expect("withdrawn", sorted(of(events, "withdrawn", "id")), ["bad%FF.pdf", "fail.pdf", "gone.pdf", "line%0Abreak.pdf"])
    expect("results", b.results(), ["bad.pdf", "good.pdf", "line.pdf"])
    expect("left", [n.split("-")[0] for n in b.notices()], ["failed.pdf.json", "failed.pdf.txt"])
    other = b.command[2] = os.path.join(b.here, "other")
    os.mkdir(other)
    expect("another backlog says nothing of it", of(b.run(1), "withdrawn", "id"), [])
    b.command[2] = b.backlog
    os.unlink(b.at("failed.pdf"))
    b.run(0)


def mended_dossier(here):
    b = Backlog(here, DOSSIERS)
    b.rows(("A", 1, "h/1.pdf"), ("A", 3, "h/3.pdf"))
    b.write("F/h/1.pdf", "one")
    b.write("F/h/2.pdf", "two")
    b.run(1)
    expect("no row, no file", b.notices(), ["A.3.json", "A.3.txt", *[n for n in b.notices() if n.startswith("F_h_2")]])
    b.rows(("A", 1, "h/1.pdf"), ("A", 2, "h/2.pdf"))
    b.run(0)
    expect("whole", b.results(), ["AIP_A/A.1", "AIP_A/A.2"])
    expect("notices", b.notices(), [])


# Through the real convert: a picture that changes after it was taken, before it is converted


def picture(shade, size=400):
    rows = b"".join(b"\0" + bytes((shade + x // 3 + y // 5) % 256 for x in range(size)) for y in range(size))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
                                           for k, d in parts)


def put_pictures(b, numbers, shade):
    for n in numbers:
        os.makedirs(b.at(f"{n:02}"), exist_ok=True)
        for page in range(2):
            with open(b.at(f"{n:02}/{page}.png"), "wb") as file:
                file.write(picture(shade + n * 2 + page))


def changed_before_convert(here):
    b = Backlog(here, "name: test\nextends: pdfa-only\nconvert:\n  ocr: none\n", real)
    put_pictures(b, range(30), 0)
    with subprocess.Popen([*b.command, "--jobs", "1"], stderr=subprocess.PIPE, text=True) as run:
        events = []
        for line in run.stderr:
            events.append(json.loads(line))
            if len(of(events, "stage", "id")) != 2 or events[-1]["event"] != "stage":
                continue
            all_of_it = [run.pid, *children(run.pid)]
            for pid in all_of_it:
                os.kill(pid, signal.SIGSTOP)
            put_pictures(b, range(10, 30), 7)
            for pid in all_of_it:
                os.kill(pid, signal.SIGCONT)
        expect("exit", run.wait(), 1)
    changed = of(events, "quarantined", "id", "code")
    expect("why", {code for _, code in changed}, {"source-changed"})
    expect("which", {name for name, _ in changed} - {f"{n:02}" for n in range(10, 30)}, set())
    expect("the others", b.results(), sorted({f"{n:02}.pdf" for n in range(30)} - {f"{name}.pdf" for name, _ in changed}))
    expect("taken anew", worked_on(b.run(0)), sorted(name for name, _ in changed))
    expect("all", len(b.results()), 30)


TESTS = [unfinished_documents, unfinished_dossier, unfinished_growth, unfinished_spreadsheet, late, changed_after,
         changed_under_way, row_changed, refused_under_way, emptied, strays, moved, moved_under_way, moved_before_convert, mended,
         mended_dossier, changed_before_convert]


def main():
    for test in TESTS:
        if len(sys.argv) > 3 and test.__name__ not in sys.argv[3:]:
            continue
        print(test.__name__, flush=True)
        with tempfile.TemporaryDirectory(prefix="arkseal_backlog_") as base:
            here = os.path.join(base, "t")
            os.mkdir(here)
            test(here)


main()
