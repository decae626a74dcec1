#!/usr/bin/python3
"""Long documents that are done in ranges of pages, with stages that do next to nothing:  engine_ranges.py NULL_ARKSEAL"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

tool = sys.argv[1]
PAGES = "".join(f"pages {a} to {min(a + 3, 18)} of 18\n" for a in range(1, 19, 4))


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAIL: {what}: {found!r}, wanted {wanted!r}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Archive:
    """A backlog of named documents and the archive that is made of it."""

    def __init__(self, here, documents):
        self.backlog, self.out = os.path.join(here, "in"), os.path.join(here, "out")
        os.mkdir(self.backlog)
        for name, text in documents.items():
            write(os.path.join(self.backlog, name), text)
        write(f"{here}/test.yaml", "name: test\nstages: [ingest, convert, sign, bundle, validate]\n")
        write(f"{here}/site.yaml", 'organisation: Test\nkey: "pkcs11:token=x"\njobs: 2\n')
        self.command = [tool, "run", self.backlog, "--profile", f"{here}/test.yaml", "--site", f"{here}/site.yaml",
                        "--out", self.out, "--log", "json"]

    def run(self):
        done = subprocess.run(self.command, stderr=subprocess.PIPE, text=True, check=False)
        return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]

    def work(self):
        return sorted(name for name in os.listdir(f"{self.out}/.arkseal/work") if name != "sign.log")


def good():
    documents = {"a-1": "long", **{f"b-{n}": "short" for n in range(8)}, "c-1": "long"}
    with tempfile.TemporaryDirectory(prefix="arkseal_ranges_") as here:
        archive = Archive(here, documents)
        code, events = archive.run()
        expect("exit", code, 0)
        for key in ("a", "c"):
            expect("result", read(f"{archive.out}/AIP_{key}/{key}-1"), f"long{PAGES}signed {key}-1\n")
        expect("work folder", archive.work(), [])
        converted = [e for e in events if e["event"] == "stage" and e["stage"] == "convert"]
        expect("told once", sorted(e["id"] for e in converted), sorted(documents))
        expect("pages told", {e["pages"] for e in converted if e["id"] == "a-1"}, {18})
        expect("others pass a long one", converted[0]["id"] != "a-1", True)


def bad():
    for word, code in (("fail", "test-fail"), ("crash", "worker-crash")):
        with tempfile.TemporaryDirectory(prefix="arkseal_ranges_") as here:
            archive = Archive(here, {"a-1": f"long {word}", "b-1": "long"})
            exit_code, events = archive.run()
            expect("exit", exit_code, 1)
            expect("set aside", [(e["id"], e["code"]) for e in events if e["event"] == "quarantined"], [("a-1", code)])
            expect("the other", os.path.exists(f"{archive.out}/AIP_b/b-1"), True)
            expect("work folder", archive.work(), [])


def stopped():
    with tempfile.TemporaryDirectory(prefix="arkseal_ranges_") as here:
        archive = Archive(here, {f"a-{n}": "long" for n in range(40)})
        with subprocess.Popen(archive.command, stderr=subprocess.DEVNULL) as run:
            time.sleep(0.3)
            run.send_signal(signal.SIGTERM)
            expect("exit when stopped", run.wait(), 3)
        expect("exit", archive.run()[0], 0)
        for n in range(40):
            expect("result", read(f"{archive.out}/AIP_a/a-{n}"), f"long{PAGES}signed a-{n}\n")
        expect("work folder", archive.work(), [])


good()
bad()
stopped()
