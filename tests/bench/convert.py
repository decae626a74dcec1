#!/usr/bin/python3
"""What conversion costs beside its peers, in one paired run:  convert.py [FOLDER]

CPU time a page (every process counted), peak memory, size of what is made, and the character error rate of the text:
- text: made A4 colour pages, 200 dpi JPEG, arkseal beside `tesseract list.txt out -l vie pdf` and OCRmyPDF;
- plain: the same without text, beside img2pdf and Ghostscript's -dPDFA=2; g4: 300 dpi bilevel TIFF. Two numbers of pages each: the difference is
  what a page costs, without the start;
- memory: A3 at 300 dpi with text, an A0 map of 140 megapixels, a large TIFF in strips without text; size: by kind of source.

ARKSEAL_BUILD is a release build; VENV (~/.cache/arkseal-bench/venv, tools/bench makes it) has OCRmyPDF and img2pdf; RUNS=3 rounds, one after the
other through all programs; PAGES=8 with text. Prints each demand and whether it is met; FOLDER/convert.json has all figures. Exits 0 when
every arkseal run ended right and no page is missing.
"""
import collections
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import unicodedata

import numpy
from PIL import Image

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for folder in ("fixtures/make", "tools/benchmark"):
    sys.path.insert(0, os.path.join(SOURCE, folder))
import pages as drawn
from bench import DEFINITION
from outcome import pages, say

MEASURE = os.path.join(SOURCE, "tools", "benchmark", "measure.py")
ARKSEAL = os.path.join(os.environ.get("ARKSEAL_BUILD", os.path.join(SOURCE, "build", "release")), "pipeline", "arkseal")
VENV = os.environ.get("VENV", os.path.expanduser("~/.cache/arkseal-bench/venv"))
RUNS, PAGES, FEW, MANY = int(os.environ.get("RUNS", "3")), int(os.environ.get("PAGES", "8")), 40, 200
TIME_LIMIT_S = 3600

lost, demands = [], []


def demand(what, value, most, unit):
    demands.append({"what": what, "value": value, "most": most, "unit": unit, "met": value <= most})
    print(f"  {'met' if value <= most else 'MISSED':6} {what}: {value:.3g} {unit}, at most {most:.3g}", flush=True)


# The material.

def make_pages(folder):
    """Text pages as JPEG with their truth, as G4, and copies that differ only by their number."""
    if os.path.exists(f"{folder}/done"):
        return
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("text", "truth", "jpeg", "g4", "lzw"):
        os.makedirs(f"{folder}/{name}/document" if name != "truth" else f"{folder}/truth")
    for n in range(PAGES):
        page = drawn.Page(7000 + n).letter(7000 + n, first=n == 0, sentences=12).scanned()
        page.image.save(f"{folder}/text/document/{n:04}.jpg", quality=90, dpi=(200, 200))
        with open(f"{folder}/truth/{n:04}.txt", "w", encoding="utf-8") as out:
            out.write(page.text())
        page.image.save(f"{folder}/lzw/document/{n:04}.tif", compression="tiff_lzw", dpi=(200, 200))
        fine = drawn.Page(7000 + n, dpi=300).letter(7000 + n, first=n == 0, sentences=12).image.convert("L").point(lambda v: 255 * (v > 140)).convert("1")
        fine.save(f"{folder}/g4/document/{n:04}.tif", compression="group4", dpi=(300, 300))
    for n in range(MANY):
        with open(f"{folder}/text/document/{n % PAGES:04}.jpg", "rb") as file:
            data = file.read()
        with open(f"{folder}/jpeg/document/{n:04}.jpg", "wb") as out:
            out.write(data[:2] + b"\xff\xfe\x00\x06%04d" % n + data[2:])
    for n in range(PAGES, MANY):
        os.link(f"{folder}/g4/document/{n % PAGES:04}.tif", f"{folder}/g4/document/{n:04}.tif")
    make_large(folder)
    open(f"{folder}/done", "w").close()


def make_large(folder):
    for name in ("a3", "a0", "strips"):
        os.makedirs(f"{folder}/{name}")
    page = drawn.Page(7500, dpi=300, inches=(11.69, 16.54)).letter(7500, first=True, sentences=40).scanned()
    page.image.save(f"{folder}/a3/a3.jpg", quality=90, dpi=(300, 300))
    rows = numpy.random.default_rng(1).integers(0, 255, (1000, 1000, 3), dtype=numpy.uint8)
    map_ = Image.fromarray(rows).resize((10000, 14000))
    map_.save(f"{folder}/a0/a0.jpg", quality=85, dpi=(300, 300))
    map_.save(f"{folder}/strips/a0.tif", compression="tiff_lzw", dpi=(300, 300))


def subset(folder, name, n):
    """The first pages of a document, as a backlog."""
    to = f"{folder}/{name}-{n}"
    if not os.path.isdir(to):
        os.makedirs(f"{to}/document")
        for path in sorted(os.listdir(f"{folder}/{name}/document"))[:n]:
            os.link(f"{folder}/{name}/document/{path}", f"{to}/document/{path}")
    return to


# Running.

def cost(command, work):
    """One run, with everything that it starts."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    subprocess.run([sys.executable, MEASURE, f"{work}/cost.json", f"{work}/log", str(TIME_LIMIT_S), "sh", "-c", command], check=True)
    with open(f"{work}/cost.json", encoding="utf-8") as file:
        return json.load(file)


def arkseal(backlog, work, *settings):
    words = " ".join(f"--set {s}" for s in settings)
    return f"{ARKSEAL} run {backlog} --profile pdfa-only --out {work}/out --jobs 2 {words}"


def img2pdf_gs(backlog, work):
    """img2pdf, then Ghostscript's PDF/A-2 with an output intent."""
    with open(os.path.join(os.path.dirname(backlog), "definition.ps"), "w", encoding="ascii") as out:
        out.write(DEFINITION)
    return (f"{VENV}/bin/img2pdf -o {work}/plain.pdf {backlog}/document/* && gs -q -dPDFA=2 -dPDFACompatibilityPolicy=1 -dBATCH -dNOPAUSE -sDEVICE=pdfwrite "
            f"-sColorConversionStrategy=RGB --permit-file-read=/usr/share/color/icc/ghostscript/srgb.icc -sOutputFile={work}/document.pdf {os.path.dirname(backlog)}/definition.ps {work}/plain.pdf")


def rounds(tools, folder):
    """{name: [cost, …]} of all tools in turn, RUNS times. tools: {name: command(work)}"""
    runs = {name: [] for name in tools}
    for _ in range(RUNS):
        for name, command in tools.items():
            work = f"{folder}/work-{name.replace(' ', '-')}"
            found = cost(command(work), work)
            runs[name].append(found)
            if found["exit"] != 0 and name.startswith("arkseal"):
                lost.append(f"{name}: exit {found['exit']}")
    return runs


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def present(name, path):
    there = os.path.exists(path)
    if not there:
        print(f"  missing: {name}; not compared")
    return there


def made(folder, name, n):
    """The file that a tool has made; its pages are all there."""
    files = glob.glob(f"{folder}/work-{name.replace(' ', '-')}/out/*.pdf") + glob.glob(f"{folder}/work-{name.replace(' ', '-')}/document.pdf")
    if len(files) != 1 or pages(files[0]) != n:
        lost.append(f"{name}: {files} for {n} pages")
    return files[0] if files else None


# What is compared.

def errors(path, folder):
    """Characters of the truth that the text layer has wrong, as a share. Words that are right count wherever they stand, for readers of PDF differ in
    the order that they give to blocks; of the others the edit distance."""
    told, _ = say(["pdftotext", path, "-"])
    truth = " ".join(open(p, encoding="utf-8").read() for p in sorted(glob.glob(f"{folder}/truth/*.txt")))
    a, b = (collections.Counter(unicodedata.normalize("NFC", t).split()) for t in (truth, told))
    return distance(" ".join(sorted((a - b).elements())), " ".join(sorted((b - a).elements()))) / len(" ".join(a.elements()))


def distance(a, b):
    """Levenshtein's, a row of the table at a time."""
    one, two = (numpy.array([ord(c) for c in t]) for t in (a, b))
    row = numpy.arange(len(two) + 1)
    for i, c in enumerate(one):
        best = numpy.minimum(row[:-1] + (two != c), row[1:] + 1)
        best = numpy.concatenate(([i + 1], best))
        row = numpy.minimum.accumulate(best - numpy.arange(len(best))) + numpy.arange(len(best))
    return int(row[-1])


def with_text(folder, results):
    print(f"With text, {PAGES} pages, CPU s a page", flush=True)
    backlog, listed = f"{folder}/text", f"{folder}/list.txt"
    with open(listed, "w", encoding="utf-8") as out:
        out.write("".join(f"{p}\n" for p in sorted(glob.glob(f"{backlog}/document/*"))))
    tools = {"arkseal text": lambda work: arkseal(backlog, work, "convert.ocr=vie"),
             "tesseract": lambda work: f"OMP_THREAD_LIMIT=1 tesseract {listed} {work}/document -l vie pdf"}
    if present("OCRmyPDF", f"{VENV}/bin/ocrmypdf"):
        tools["ocrmypdf"] = lambda work: (f"{VENV}/bin/img2pdf -o {work}/plain.pdf {backlog}/document/* && "
                                          f"{VENV}/bin/ocrmypdf -q --jobs 2 --output-type pdfa-2 -l vie {work}/plain.pdf {work}/document.pdf")
    runs = rounds(tools, folder)
    cpu = {name: median(r, "cpu_s") / PAGES for name, r in runs.items()}
    wrong = {name: errors(path, folder) for name in tools if (path := made(folder, name, PAGES)) is not None}
    for name in tools:
        print(f"  {name:14} {cpu[name]:7.3f} s   wall {median(runs[name], 'wall_s'):6.1f} s   {100 * wrong.get(name, 1):.2f} % of characters wrong")
    demand("CPU with text beside tesseract", cpu["arkseal text"] / cpu["tesseract"], 0.80, "x")
    if "ocrmypdf" in cpu:
        demand("CPU with text beside OCRmyPDF", cpu["arkseal text"] / cpu["ocrmypdf"], 0.40, "x")
    demand("character error rate, beside tesseract's", 100 * wrong.get("arkseal text", 1), 100 * wrong["tesseract"] + 0.02, "%")
    results["text"] = {"cpu_s_a_page": cpu, "character_error_rate": wrong, "runs": runs}


def slopes(folder, name, tools, results):
    """CPU ms a page without the start: the difference between many pages and few."""
    few, many = (rounds({f"{t}-{n}": (lambda work, c=c, n=n: c(subset(folder, name, n), work)) for t, c in tools.items()}, folder) for n in (FEW, MANY))
    found = {t: 1000 * (median(many[f"{t}-{MANY}"], "cpu_s") - median(few[f"{t}-{FEW}"], "cpu_s")) / (MANY - FEW) for t in tools}
    for t in tools:
        made(folder, f"{t}-{MANY}", MANY)
        print(f"  {t:14} {found[t]:7.2f} ms a page; {FEW} pages {median(few[f'{t}-{FEW}'], 'cpu_s'):.2f} s, {MANY} pages {median(many[f'{t}-{MANY}'], 'cpu_s'):.2f} s")
    results[name] = {"cpu_ms_a_page": found, "few": few, "many": many}
    return found


def without_text(folder, results):
    tools = {"arkseal": lambda backlog, work: arkseal(backlog, work, "convert.ocr=none")}
    if present("img2pdf", f"{VENV}/bin/img2pdf") and present("Ghostscript", "/usr/bin/gs"):
        tools["img2pdf and gs"] = img2pdf_gs
    print(f"Without text, A4 colour JPEG at 200 dpi, {FEW} and {MANY} pages", flush=True)
    found = slopes(folder, "jpeg", tools, results)
    demand("JPEG page without text", found["arkseal"], 15, "ms")
    if len(tools) > 1:
        demand("JPEG page beside img2pdf and Ghostscript", found["arkseal"] / found["img2pdf and gs"], 0.25, "x")
    coded = {"arkseal": lambda backlog, work: arkseal(backlog, work, "convert.ocr=none", "convert.proof=coded")}
    print("The same, proved by the coded data", flush=True)
    demand("JPEG page without text, proved by its coded data", slopes(folder, "jpeg", coded, results)["arkseal"], 2, "ms")
    print("Without text, A4 bilevel G4 at 300 dpi", flush=True)
    found = slopes(folder, "g4", tools, results)
    demand("G4 page without text", found["arkseal"], 10, "ms")


def memory(folder, results):
    print("Peak memory of the largest process", flush=True)
    for what, backlog, settings, most in (("A3 at 300 dpi with text", "a3", ["convert.ocr=vie"], 300), ("A0 map of 140 megapixels with text", "a0", ["convert.ocr=vie"], 1024),
                                          ("A0 JPEG without text", "a0", ["convert.ocr=none"], 64), ("A0 TIFF in LZW strips without text", "strips", ["convert.ocr=none"], 64)):
        found = largest(f"{folder}/{backlog}", f"{folder}/work-memory", settings)
        results.setdefault("memory_mib", {})[what] = found
        demand(what, found, most, "MiB")


def children(pid):
    """The processes that it has started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def largest(backlog, work, settings):
    """Memory of its own (anonymous), not what it has mapped of its source."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    process = subprocess.Popen(arkseal(backlog, work, *settings, "convert.checks.low-dpi=off").split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        for pid in [process.pid, *children(process.pid)]:
            try:
                with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                    peak = max([peak, *(int(line.split()[1]) / 1024 for line in file if line.startswith("RssAnon:"))])
            except OSError:
                continue
        time.sleep(0.002)
    if process.returncode != 0:
        lost.append(f"{backlog}: exit {process.returncode}")
    return peak


def size(folder, results):
    print("Size of what is made", flush=True)
    for name, n in (("jpeg", MANY), ("g4", MANY), ("lzw", PAGES)):
        source = subset(folder, name, n)
        work = f"{folder}/work-arkseal-size-{name}"
        rounds_ = cost(arkseal(source, work, "convert.ocr=none"), work)
        path = made(folder, f"arkseal-size-{name}", n)
        if rounds_["exit"] != 0 or path is None:
            lost.append(f"size of {name}")
            continue
        coded = sum(os.path.getsize(p) for p in glob.glob(f"{source}/document/*"))
        results.setdefault("size", {})[name] = [coded, os.path.getsize(path)]
        demand(f"{name}: size beside its coded pictures, without 2 kB a page", (os.path.getsize(path) - 2000 * n) / coded, 1.01, "x")


def main():
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(SOURCE, "build", "bench-convert"))
    os.makedirs(folder, exist_ok=True)
    material, results = os.path.join(folder, f"material-{PAGES}"), {}
    make_pages(material)
    with_text(material, results)
    without_text(material, results)
    memory(material, results)
    size(material, results)
    with open(os.path.join(folder, "convert.json"), "w", encoding="utf-8") as out:
        json.dump({"demands": demands, "lost": lost, **results}, out, indent=1)
    for fault in lost:
        print("LOST:", fault)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
