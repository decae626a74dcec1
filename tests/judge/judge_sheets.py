"""Spreadsheets of others, broken, hostile and odd, as the description of a fonds: each ends the run with a notice in two languages for its document, none
crashes it, hangs it, takes much memory, or leads to another file."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys

from common import ARKSEAL, BACKLOG, SOURCE, WORK, Faults

PAGE = os.path.join(BACKLOG, "G12", "hop-01", "ho-so-01", "phototest.tif")
# As the manifest has them, for each file.
SECONDS, MEBIBYTES = 10, 256
MEASURE = """
import os, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, timeout=%d)
sys.stdout.buffer.write(done.stdout)
sys.stderr.buffer.write(done.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
""" % SECONDS


def corpus(*parts):
    return os.path.join(os.environ.get("ARKSEAL_CORPUS") or os.path.join(SOURCE, "..", "shared", "corpus"), *parts)


def rows():
    with open(corpus("hostile", "archive", "manifest.tsv"), encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def judge(faults, root, row, number, limit, told):
    """One fonds with this spreadsheet and one page."""
    work = os.path.join(root, f"{number:02}")
    fonds = os.path.join(work, "in", "F01")
    os.makedirs(os.path.join(fonds, "hop", "ho-so"))
    shutil.copyfile(corpus("hostile", "archive", row["file"]), os.path.join(fonds, "metadata.xlsx"))
    shutil.copyfile(PAGE, os.path.join(fonds, "hop", "ho-so", "a.tif"))
    name, out = row["file"], os.path.join(work, "out")
    before = sorted(os.listdir(work))
    try:
        done = subprocess.run([sys.executable, "-c", MEASURE, ARKSEAL, "run", os.path.join(work, "in"), "--profile", "vn-digitised", "--out", out, "--jobs", "1",
                               "--set", "stages=[ingest, convert]", "--set", "convert.ocr=none", "--set", "ingest.settle-seconds=0"],
                              capture_output=True, text=True, errors="replace", timeout=2 * SECONDS)
    except subprocess.TimeoutExpired:
        faults.check(False, f"{name}: still running after {SECONDS} s")
        return
    faults.check(done.returncode == 1, f"{name}: exit {done.returncode}, not 1\n{done.stderr}")
    faults.check(sorted(os.listdir(work)) == sorted(before + ["out"]), f"{name}: it made {os.listdir(work)}")
    peak = int((done.stdout.split() or ["0"])[-1]) / 1024
    faults.check(peak <= limit, f"{name}: {peak:.0f} MiB")
    aside = os.path.join(out, "quarantine")
    notices = [n for n in sorted(os.listdir(aside)) if n.endswith(".json")] if os.path.isdir(aside) else []
    faults.check(len(notices) >= 1, f"{name}: nothing is set aside")
    for notice in notices:
        with open(os.path.join(aside, notice), encoding="utf-8") as file:
            code = json.load(file)["notice"]["code"]
        with open(os.path.join(aside, notice[:-5] + ".txt"), encoding="utf-8") as file:
            text = file.read()
        faults.check(code not in ("worker-crash", "worker-limit", "") and re.search("Vấn đề: .", text) and re.search("What is wrong: .", text), f"{name}: {code}\n{text}")
        told[code] = told.get(code, 0) + 1
        if row["expected"] == "reject_clear":
            faults.check(code.startswith(("xlsx-", "sheet-")), f"{name}: {code}, but nobody can read it")


def memory_limit():
    """The shadow and the quarantine of the address sanitizer come on top."""
    with open(ARKSEAL, "rb") as file:
        return MEBIBYTES * (4 if b"__asan_init" in file.read() else 1)


def main():
    faults, told, limit = Faults(), {}, memory_limit()
    if not os.path.exists(corpus("hostile", "archive", "manifest.tsv")):
        print(f"NOT RUN: there is no corpus of hostile archives at {corpus('hostile', 'archive')} (ARKSEAL_CORPUS)")
        return 0
    root = os.path.join(WORK, "sheets")
    shutil.rmtree(root, ignore_errors=True)
    for number, row in enumerate(rows()):
        judge(faults, root, row, number, limit, told)
    print(f"{len(rows())} spreadsheets and archives: {told}")
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
