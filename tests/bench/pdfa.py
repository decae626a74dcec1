#!/usr/bin/python3
"""The checker of PDF/A beside veraPDF:  pdfa.py ARKSEAL [FOLDER]

Both check the same files as PDF/A-2b: CPU time (wait4: user and system, of all threads and children), wall time, memory. FOLDER (build/bench-pdfa) gets the
made files and pdfa.json.

  many      the corpus' files in one process (ARKSEAL_CORPUS, else ../shared/corpus; else the made small ones): at least 15 × less CPU
  one       a single small file as a command: at least 100 × less CPU
  text      500, 1,000 and 2,000 pages of text
  scans     0.5, 1 and 2 GB, of a megabyte each: veraPDF 1.30 reads no offsets beyond 2 GiB
  largest   10 GiB with 100,000 pages, arkseal alone: its memory

Time must not grow faster than size; memory of arkseal must stay below 64 MiB. Memory is what the process has for itself (RssAnon), looked
at a hundred times a second: pages of a mapped file are the kernel's cache, which it takes back when it likes. `with file` is the most that
was resident of both (VmHWM). Neither is ru_maxrss, which a child begins with its parent's.

RUNS=3 rounds, of which the median counts; BENCH_PARTS names the parts to run; BENCH_LIMIT=1800 seconds for one command.
"""
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import pdfa_material

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERAPDF = os.path.join(SOURCE, "tools", "judges", "verapdf")
CORPUS = os.path.join(os.environ.get("ARKSEAL_CORPUS") or os.path.join(SOURCE, "..", "shared", "corpus"), "pdfa")
PARTS = ("many", "one", "text", "scans", "largest")
MANY, ONE, MEMORY_MIB, GROWTH = 15, 100, 64, 1.25
GIB = 1 << 30


def below(pid):
    """A process and all that it has started: the JVM is a shell's child."""
    yield pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        for child in file.read().split():
            yield from below(int(child))


def memory(pid):
    """(what it has for itself, the most that was resident), KiB"""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        rows = dict(line.split(":", 1) for line in file)
    return int(rows["RssAnon"].split()[0]), int(rows["VmHWM"].split()[0])


class Watch(threading.Thread):
    """The memory of a process and its children while they run."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.own, self.resident = pid, 0, 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            try:
                found = [memory(pid) for pid in below(self.pid)]
            except (OSError, KeyError):  # one has ended meanwhile
                if self.ended.wait(0.001):
                    return
                continue
            self.own = max(self.own, sum(own for own, _ in found))
            self.resident = max(self.resident, sum(resident for _, resident in found))
            if self.ended.wait(0.01):
                return


def measure(command):
    limit = float(os.environ.get("BENCH_LIMIT", "1800"))
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watch, stop = Watch(process.pid), threading.Timer(limit, process.kill)
    watch.start()
    stop.start()
    _, status, usage = os.wait4(process.pid, 0)
    stop.cancel()
    watch.ended.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.join()
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": time.monotonic() - began, "own_mib": watch.own / 1024,
            "with_file_mib": watch.resident / 1024, "exit": process.returncode}


class Bench:
    def __init__(self, arkseal, folder):
        self.arkseal, self.folder, self.rows = os.path.abspath(arkseal), folder, []
        self.rounds = max(1, int(os.environ.get("RUNS", "3")))
        self.faults = []

    def made(self, name, pages, image_bytes=0):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            pdfa_material.make(path + ".part", pages, image_bytes)
            os.rename(path + ".part", path)
        return path

    def compare(self, name, paths, peer=True):
        """Medians of both sides, in turn; a row of the table."""
        listing = os.path.join(self.folder, "list")
        with open(listing, "w", encoding="utf-8") as out:
            out.write("".join(path + "\n" for path in paths))
        ours_words = [self.arkseal, "validate", "--format", "json", "--pdfa", "2b", *(paths if len(paths) == 1 else ["--files-from", listing])]
        sides = {"arkseal": ours_words, **({"veraPDF": [VERAPDF, "-f", "2b", *paths]} if peer else {})}
        runs = {side: [] for side in sides}
        for _ in range(self.rounds):
            for side, words in sides.items():
                runs[side].append(measure(words))
        row = {"name": name, "files": len(paths), "bytes": sum(os.path.getsize(p) for p in paths)}
        for side, found in runs.items():
            row[side] = {key: statistics.median(run[key] for run in found) for key in ("cpu_s", "wall_s", "own_mib", "with_file_mib")}
            row[side]["runs"] = found
            # 1: some file is not valid, for it is not signed or breaks a rule; 2 of veraPDF: it could not judge a file.
            if any(run["exit"] not in (0, 1, 2) for run in found):
                self.faults.append(f"{name}: {side} ended with {[run['exit'] for run in found]}")
        if peer:
            row["ratio"] = row["veraPDF"]["cpu_s"] / row["arkseal"]["cpu_s"]
        self.rows.append(row)
        self.show(row)
        if row["arkseal"]["own_mib"] > MEMORY_MIB:
            self.faults.append(f"{name}: {row['arkseal']['own_mib']:.0f} MiB, more than {MEMORY_MIB}")
        return row

    @staticmethod
    def show(row):
        for side in ("arkseal", "veraPDF"):
            if side in row:
                s, ratio = row[side], f"{row['ratio']:8.1f} ×" if side == "veraPDF" else ""
                print(f"{row['name'] if side == 'arkseal' else '':24}{side:9}{s['cpu_s']:9.3f}{s['wall_s']:9.3f}{s['own_mib']:9.1f}"
                      f"{s['with_file_mib']:11.1f}{ratio}", flush=True)

    def least(self, row, aim):
        if row["ratio"] < aim:
            self.faults.append(f"{row['name']}: {row['ratio']:.1f} × less CPU than veraPDF, not {aim}")

    def growth(self, rows):
        """From the smallest to the largest: as much again, and no more."""
        first, last = rows[0], rows[-1]
        size, cost = last["bytes"] / first["bytes"], last["arkseal"]["cpu_s"] / first["arkseal"]["cpu_s"]
        if cost > GROWTH * size:
            self.faults.append(f"{last['name']}: {size:.1f} × the size takes {cost:.1f} × the time")

    def many(self):
        files = sorted(os.path.join(at, n) for at, _, names in os.walk(CORPUS) for n in names if n.endswith(".pdf") and "2b" in at)
        files = files or [self.made(f"small-{n}.pdf", n) for n in range(1, 101)]
        self.least(self.compare(f"many: {len(files)} files", files), MANY)

    def one(self):
        self.least(self.compare("one small file", [self.made("small-1.pdf", 1)]), ONE)

    def text(self):
        self.growth([self.compare(f"text, {n} pages", [self.made(f"text-{n}.pdf", n)]) for n in (500, 1000, 2000)])

    def scans(self):
        self.growth([self.compare(f"scans, {n} MB", [self.made(f"scans-{n}.pdf", n, 1_000_000)]) for n in (500, 1000, 2000)])

    def largest(self):
        self.compare("10 GiB, 100,000 pages", [self.made("largest.pdf", 100_000, 10 * GIB // 100_000)], peer=False)


def main():
    bench = Bench(sys.argv[1], os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else os.path.join(SOURCE, "build", "bench-pdfa")))
    os.makedirs(bench.folder, exist_ok=True)
    print(f"{'':24}{'':9}{'CPU s':>9}{'wall s':>9}{'own MiB':>9}{'with file':>11}{'CPU':>9}", flush=True)
    for part in os.environ.get("BENCH_PARTS", " ".join(PARTS)).split():
        getattr(bench, part)()
    with open(os.path.join(bench.folder, "pdfa.json"), "w", encoding="utf-8") as out:
        json.dump({"rounds": bench.rounds, "cores": os.cpu_count(), "rows": bench.rows}, out, indent=1)
    for fault in bench.faults:
        print("missed:", fault)
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
