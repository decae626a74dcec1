#!/usr/bin/python3
"""Runs arkseal and its peers in turn over the same pages and prints what each costs:  bench.py ARKSEAL PAGES FOLDER

Called by tools/bench, which installs and starts what this needs (environment: VENV, RUNS, BENCH_STAGES; the test PKI in FOLDER/pki).
"""
import glob
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys

import material
from outcome import Outcome, check_packages, check_pdfs

HERE = os.path.dirname(os.path.abspath(__file__))
GLUE = shlex.quote(os.path.join(HERE, "glue"))
ORGANISATION = "Trung tâm Lưu trữ lịch sử tỉnh Thử Nghiệm"
TIME_LIMIT_S = 3600

# Ghostscript adds the output intent of PDF/A by this.
DEFINITION = """%!
[/_objdef {icc} /type /stream /OBJ pdfmark
[{icc} << /N 3 >> /PUT pdfmark
[{icc} (/usr/share/color/icc/ghostscript/srgb.icc) (r) file /PUT pdfmark
[/_objdef {intent} /type /dict /OBJ pdfmark
[{intent} << /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile {icc} /OutputConditionIdentifier (sRGB) >> /PUT pdfmark
[{Catalog} << /OutputIntents [{intent}] >> /PUT pdfmark
"""

PYHANKO = """logging: {{root-level: ERROR}}
pkcs11-setups:
  seal:
    module-path: {module}
    token-label: arkseal-test
    cert-label: seal-rsa
    key-label: seal-rsa
    user-pin: "{pin}"
    other-certs: [{pki}/issuing.pem]
stamp-styles:
  seal:
    type: text
    background: null
    border-width: 0
    stamp-text: "{organisation}\\n%(ts)s"
    text-box-style: {{font: /usr/share/fonts/truetype/croscore/Tinos-Regular.ttf, font-size: 10}}
"""


class Tool:
    """One side of a comparison. command(out) → shell text; outcome(out) → Outcome; aim: the share of its CPU that arkseal may take."""

    def __init__(self, name, command, outcome, aim=None):
        self.name, self.command, self.outcome, self.aim = name, command, outcome, aim
        self.runs, self.result = [], None

    def median(self, key):
        return statistics.median(r[key] for r in self.runs)


class Bench:
    def __init__(self, arkseal, pages, folder):
        shutil.rmtree(os.path.join(folder, "prepared"), ignore_errors=True)
        self.arkseal, self.folder, self.pages = shlex.quote(arkseal), folder, pages
        self.jobs = os.cpu_count() or 1
        self.pki, self.help = os.path.join(folder, "pki"), os.path.join(folder, "help")
        self.documents, self.backlog = material.make(folder, pages)
        self.dossiers = sorted({d.dossier for d in self.documents})
        self.write_help()

    def write_help(self):
        os.makedirs(self.help, exist_ok=True)

        def put(name, text):
            with open(os.path.join(self.help, name), "w", encoding="utf-8") as out:
                out.write(text)

        def first_line(name):
            with open(os.path.join(self.pki, name), encoding="utf-8") as file:
                return file.readline().strip()

        put("definition.ps", DEFINITION)
        put("pyhanko.yml", PYHANKO.format(module=first_line("module"), pin=first_line("pin"), pki=self.pki, organisation=ORGANISATION))
        os.environ.update(PKI=self.pki, HELP=self.help)

    # Commands

    def run(self, profile, *options, backlog=None):
        """arkseal run from the whole backlog, or from a part of it."""
        site = "" if profile == "pdfa-only" else f"--site {self.pki}/site.yaml"
        return lambda out: (f"{self.arkseal} run {backlog or self.backlog} --profile {profile} {site} --jobs {self.jobs} "
                            f"{' '.join(options)} --out {out}")

    def filter(self, stage, *options):
        return f"{self.arkseal} {stage} --profile vn-digitised --site {self.pki}/site.yaml {' '.join(options)} --work"

    def glue(self, step, rows, out):
        """A step over many, as many at a time as there are cores; rows of words. A failed one does not stop the others."""
        lines = "\n".join(" ".join(row) for row in rows)
        listing = f"{out}.{step.split()[-1]}.list"
        with open(listing, "w", encoding="utf-8") as file:
            file.write(lines + "\n")
        return f"xargs -L 1 -P {self.jobs} {GLUE} {step} <{listing}"

    def glue_documents(self, step, *more):
        def command(out):
            return self.glue(step, [[d.folder, f"{out}/{d.code}.pdf", *(f"{out}.{m}" for m in more)] for d in self.documents], out)
        return command

    def glue_pages(self, out):
        rows = [[picture, f"{out}/{d.code}.{n + 1}"] for d in self.documents for n, picture in enumerate(d.pictures)]
        return self.glue("text", rows, out)

    def glue_sign(self, converted):
        return lambda out: self.glue("sign", [[converted[d.code], f"{out}/{d.code}.pdf"] for d in self.documents if d.code in converted], out)

    def glue_pack(self, signed):
        """signed: document code → path. They are put into a folder a dossier beforehand, since bagit packs folders."""
        def command(out):
            for d in self.documents:
                if d.code in signed:
                    folder = os.path.join(f"{out}.in", d.dossier)
                    os.makedirs(folder, exist_ok=True)
                    shutil.copy(signed[d.code], os.path.join(folder, d.code + ".pdf"))
            return self.glue("pack", [[f"{out}.in/{code}", f"{out}/{code}.zip"] for code in self.dossiers], out)
        return command

    def glue_all(self, how):
        """Documents into a folder a dossier, then a bag for each dossier."""
        def command(out):
            for code in self.dossiers:
                os.makedirs(f"{out}.signed/{code}", exist_ok=True)
            documents = self.glue(f"whole {how}", [[d.folder, f"{out}.signed/{d.dossier}/{d.code}.pdf", f"{out}.scratch"]
                                                   for d in self.documents], out)
            return documents + "; " + self.glue("pack", [[f"{out}.signed/{code}", f"{out}/{code}.zip"] for code in self.dossiers], out)
        return command

    # Outcomes

    def flat(self, out):
        """document code → path, whatever folder it lies in."""
        return {os.path.basename(p)[:-4]: p for p in glob.glob(f"{out}/**/*.pdf", recursive=True) if "/quarantine/" not in p}

    def pdfs(self, **how):
        return lambda out: check_pdfs(self.documents, self.flat(out), **how)

    def searchable(self, out):
        """tesseract's pages, as one made-up document each."""
        outcome = Outcome(len(self.documents))
        for d in self.documents:
            there = all(os.path.exists(f"{out}/{d.code}.{n + 1}.pdf") for n in range(len(d.pictures)))
            outcome.right += there
            outcome.reasons.update([] if there else ["missing"])
        return outcome

    def records(self, path):
        """document code → path of what a filter made."""
        if not os.path.exists(path):
            return {}
        with open(path, encoding="utf-8") as file:
            items = [json.loads(line) for line in file]
        return {i["id"]: i["artefact"]["path"] for i in items if i["state"] == "ok" and i.get("artefact")}

    def arkseal_valid(self, path):
        done = subprocess.run(f"{self.arkseal} validate --site {self.pki}/site.yaml {shlex.quote(path)}", shell=True, capture_output=True)
        return done.returncode == 0

    def bag_valid(self, path):
        folder = path + ".read"
        shutil.rmtree(folder, ignore_errors=True)
        bag = os.path.join(folder, os.path.basename(path)[:-4])
        venv = os.environ["VENV"]
        done = subprocess.run(["sh", "-c", 'unzip -q "$1" -d "$2" && "$4/bin/bagit.py" --quiet --validate "$3"', "-", path, folder, bag, venv],
                              capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
        return done.returncode == 0

    def packages(self, is_valid):
        return lambda out: check_packages(len(self.dossiers), glob.glob(f"{out}/*.zip"), is_valid)

    def whole(self, is_valid, text):
        """A document is right when it is so itself and lies in a valid package."""
        def check(out):
            inside = f"{out}.inside"
            shutil.rmtree(inside, ignore_errors=True)
            os.makedirs(inside)
            broken = 0
            for package in glob.glob(f"{out}/*.zip"):
                if is_valid(package):
                    subprocess.run(["unzip", "-q", package, "-d", os.path.join(inside, os.path.basename(package))], check=False)
                else:
                    broken += 1
            outcome = check_pdfs(self.documents, self.flat(inside), text=text, signed_by=f"{self.pki}/root.pem")
            if broken:
                outcome.reasons["package not valid"] = broken
            shutil.rmtree(inside, ignore_errors=True)
            return outcome
        return check

    # Stages

    def prepared(self):
        """A folder with the records and files that the stages sign and packaging begin with."""
        base = os.path.join(self.folder, "prepared")
        if os.path.exists(f"{base}/log"):
            return base
        shutil.rmtree(base, ignore_errors=True)
        os.makedirs(base)
        work = f"{base}/work"
        steps = [f"{self.arkseal} ingest {self.backlog} --profile vn-digitised --work {work} >{base}/ingested.jsonl",
                 f"{self.filter('convert', '--set convert.ocr=none')} {work} <{base}/ingested.jsonl >{base}/converted.jsonl",
                 f"{self.filter('sign')} {work} <{base}/converted.jsonl | {self.filter('augment')} {work} >{base}/signed.jsonl"]
        with open(f"{base}/log", "w", encoding="utf-8") as log:
            for step in steps:
                code = subprocess.run(step, shell=True, stdout=log, stderr=log).returncode
                if code != 0:
                    print(f"preparing: exit {code} of {step}; see {base}/log", file=sys.stderr)
        return base

    def stages(self, wanted):
        part = os.path.join(self.backlog, "T01", "hop-01")
        found = {
            "convert, no OCR": lambda: [
                Tool("arkseal", self.run("pdfa-only", "--set convert.ocr=none", backlog=part), self.pdfs()),
                Tool("img2pdf + gs", self.glue_documents("pdf"), self.pdfs())],
            "convert, OCR": lambda: [
                Tool("arkseal", self.run("pdfa-only", backlog=part), self.pdfs(text=True)),
                Tool("ocrmypdf", self.glue_documents("ocr"), self.pdfs(text=True)),
                Tool("tesseract", self.glue_pages, self.searchable)],
            "sign to B-LTA": self.sign_stage,
            "package": self.package_stage,
            "end to end, no OCR": lambda: [
                Tool("arkseal", self.run("vn-digitised", "--set convert.ocr=none", "--set bundle.form=zip"), self.whole(self.arkseal_valid, False)),
                Tool("img2pdf … zip", self.glue_all("pdf"), self.whole(self.bag_valid, False), aim=0.10)],
            "end to end, OCR": lambda: [
                Tool("arkseal", self.run("vn-digitised", "--set bundle.form=zip"), self.whole(self.arkseal_valid, True)),
                Tool("ocrmypdf … zip", self.glue_all("ocr"), self.whole(self.bag_valid, True), aim=0.45)],
        }
        return {name: make() for name, make in found.items() if any(word in name for word in wanted)}

    def sign_stage(self):
        base, anchor = self.prepared(), f"{self.pki}/root.pem"

        def arkseal(out):
            return f"{self.filter('sign')} {out} <{base}/converted.jsonl | {self.filter('augment')} {out} >{out}.jsonl"
        return [
            Tool("arkseal", arkseal, lambda out: check_pdfs(self.documents, self.records(f"{out}.jsonl"), signed_by=anchor)),
            Tool("pyhanko", self.glue_sign(self.records(f"{base}/converted.jsonl")), self.pdfs(signed_by=anchor))]

    def package_stage(self):
        base = self.prepared()

        def arkseal(out):
            return f"{self.filter('bundle', '--set bundle.form=zip')} {out} <{base}/signed.jsonl >{out}.jsonl"
        return [
            Tool("arkseal", arkseal, self.packages(self.arkseal_valid)),
            Tool("bagit + zip", self.glue_pack(self.records(f"{base}/signed.jsonl")), self.packages(self.bag_valid))]

    # Measuring

    def measure(self, stage, tool, last):
        name = f"{stage}.{tool.name}".replace(" ", "-").replace(",", "").replace("…", "").replace("+", "and")
        root = os.path.join(self.folder, "results")
        out = os.path.join(root, name)
        for old in glob.glob(out + "*"):
            shutil.rmtree(old) if os.path.isdir(old) else os.remove(old)
        os.makedirs(out)
        command = tool.command(out)
        log, figures = f"{out}.log", f"{out}.figures.json"
        subprocess.run([sys.executable, os.path.join(HERE, "measure.py"), figures, log, str(TIME_LIMIT_S), "sh", "-c", command], check=True)
        with open(figures, encoding="utf-8") as file:
            run = json.load(file)
        run["cpu_s_page"], run["wall_s_page"] = run["cpu_s"] / self.pages, run["wall_s"] / self.pages
        tool.runs.append(run)
        print(f"  {tool.name:16} CPU {run['cpu_s']:7.2f} s  wall {run['wall_s']:7.2f} s  peak {run['peak_mib']:6.0f} MiB"
              + (f"  exit {run['exit']}; see {log}" if run["exit"] != 0 else ""), flush=True)
        if last:
            try:
                tool.result = tool.outcome(out)
            except (OSError, ValueError, KeyError) as fault:
                tool.result = Outcome(len(self.documents))
                tool.result.reasons[f"not judged: {fault}"] += 1

    def run_all(self, rounds, wanted):
        stages = self.stages(wanted)
        for name, tools in stages.items():
            for n in range(rounds):
                print(f"{name}, round {n + 1} of {rounds}", flush=True)
                for tool in tools:
                    self.measure(name, tool, n == rounds - 1)
        return stages


def ratio(ours, theirs, key):
    """None where a side lost more than a tenth: programs that fail are fast."""
    lost = any(10 * tool.result.reasons["missing"] > tool.result.of for tool in (ours, theirs))
    return None if lost or not theirs.median(key) else ours.median(key) / theirs.median(key)


def print_table(stages):
    head = f"{'':20}{'':17}{'CPU s':>9}{'wall s':>9}{'peak':>7}{'spread':>8}{'right':>10}    arkseal is … × of it"
    print(f"\n{head}\n{'':20}{'':17}{'a page':>9}{'a page':>9}{'MiB':>7}{'of CPU':>8}{'':>10}{'CPU':>8}{'wall':>8}{'memory':>8}")
    notes, unjudged = [], set()
    for name, tools in stages.items():
        for tool in tools:
            cpu = [r["cpu_s_page"] for r in tool.runs]
            spread = (max(cpu) - min(cpu)) / tool.median("cpu_s_page") if tool.median("cpu_s_page") else 0
            ratios = "" if tool is tools[0] else "".join(
                "       –" if r is None else f"{r:8.2f}" for r in (ratio(tools[0], tool, k) for k in ("cpu_s_page", "wall_s_page", "peak_mib")))
            right = f"{tool.result.right} of {tool.result.of}"
            print(f"{name if tool is tools[0] else '':20}{tool.name:17}{tool.median('cpu_s_page'):9.3f}{tool.median('wall_s_page'):9.3f}"
                  f"{tool.median('peak_mib'):7.0f}{spread:8.0%}{right:>10}{ratios}")
            faults = [f"{n} {what}" for what, n in tool.result.reasons.items()]
            faults += [f"exit {r['exit']}{' (too slow)' if r['timed_out'] else ''} in round {n + 1}"
                       for n, r in enumerate(tool.runs) if r["exit"] != 0]
            if tool.result.words_found is not None:
                faults.append(f"{tool.result.words_found:.1%} of the words found")
            if faults:
                notes.append(f"{name}, {tool.name}: {', '.join(faults)}")
            unjudged |= tool.result.unjudged
    print()
    for note in notes:
        print(note)
    for judge in sorted(unjudged):
        print(f"{judge} was not asked: it is not installed (tools/judges/install)")
    for name, tools in stages.items():
        for tool in tools:
            if tool.aim is not None:
                share = ratio(tools[0], tool, "cpu_s_page")
                print(f"{name}: too much was lost to compare" if share is None else
                      f"{name}: {share:.2f} × of the peers' CPU a page; aim ≤ {tool.aim:.2f}: {'reached' if share <= tool.aim else 'missed'}")


def versions(arkseal):
    def first_line(command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0] if done.stdout + done.stderr else "?"
    with open(os.path.join(HERE, "peers.txt"), encoding="utf-8") as file:
        peers = dict(line.strip().split("==") for line in file if "==" in line)
    return {**peers, "arkseal": first_line([arkseal, "--version"]), "ghostscript": first_line(["gs", "--version"]),
            "tesseract": first_line(["tesseract", "--version"])}


def write_json(path, bench, rounds, stages, arkseal):
    rows = []
    for name, tools in stages.items():
        for tool in tools:
            row = {"stage": name, "tool": tool.name, **tool.result.as_json(), "runs": tool.runs}
            row.update({key: tool.median(key) for key in ("cpu_s_page", "wall_s_page", "peak_mib")})
            if tool is not tools[0]:
                row["ratios"] = {key: ratio(tools[0], tool, key) for key in ("cpu_s_page", "wall_s_page", "peak_mib")}
                row["aim_cpu"] = tool.aim
            rows.append(row)
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"pages": bench.pages, "documents": len(bench.documents), "dossiers": len(bench.dossiers), "rounds": rounds,
                   "cores": bench.jobs, "machine": platform.machine(), "kernel": platform.release(), "versions": versions(arkseal),
                   "stages": rows}, out, ensure_ascii=False, indent=1)


def main():
    arkseal, pages, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    rounds, wanted = max(1, int(os.environ.get("RUNS", "3"))), os.environ.get("BENCH_STAGES", "").split() or [""]
    bench = Bench(arkseal, pages, folder)
    print(f"{pages} pages in {len(bench.documents)} documents and {len(bench.dossiers)} dossiers; {bench.jobs} cores; {rounds} rounds", flush=True)
    stages = bench.run_all(rounds, wanted)
    print_table(stages)
    where = os.path.join(folder, "bench.json")
    write_json(where, bench, rounds, stages, arkseal)
    print(f"All figures are in {where}")
    ours = [tools[0] for tools in stages.values()]
    return 0 if all(t.result.right == t.result.of and all(r["exit"] == 0 for r in t.runs) for t in ours) else 1


if __name__ == "__main__":
    sys.exit(main())
