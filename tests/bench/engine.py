#!/usr/bin/python3
"""What the supervisor costs by itself, with stages that do nothing:  engine.py BENCH_ARKSEAL [DOCUMENTS…]

For each number of documents: CPU time of the supervisor a document, its highest memory, the time until the first document has been
converted, how long `arkseal status` takes while the run goes on and after it, and a second run that finds nothing new.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


def sample(pid, seen):
    """CPU seconds and highest memory (KiB) of a process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            memory = [int(line.split()[1]) for line in file if line.startswith("VmHWM")]
    except (FileNotFoundError, ProcessLookupError):
        return seen
    return ((int(fields[11]) + int(fields[12])) / TICK, memory[0]) if memory else seen


def status_time(tool, out):
    began = time.monotonic()
    done = subprocess.run([tool, "status", out], capture_output=True, check=False)
    return time.monotonic() - began if done.returncode in (0, 1) else float("nan")


def run(tool, here, out):
    """(CPU seconds, KiB, seconds until the first is converted, slowest status, seconds in all)"""
    words = [tool, "run", f"{here}/in", "--profile", f"{here}/bench.yaml", "--site", f"{here}/site.yaml", "--out", out,
             "--jobs", "2"]
    began, first, seen, slowest, asked = time.monotonic(), None, (0, 0), 0.0, time.monotonic()
    with open(f"{here}/log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
        while process.poll() is None:
            seen = sample(process.pid, seen)
            if first is None and os.path.exists(f"{out}/.arkseal/work/first"):
                first = time.monotonic() - began
            if first is not None and time.monotonic() - asked > 5:
                slowest = max(slowest, status_time(tool, out))
                asked = time.monotonic()
            time.sleep(0.01)
    if process.returncode != 0:
        with open(f"{here}/log", encoding="utf-8") as heard:
            sys.exit(f"exit {process.returncode}: {heard.read()[-2000:]}")
    return seen[0], seen[1], first, slowest, time.monotonic() - began


def main():
    tool, sizes = os.path.abspath(sys.argv[1]), [int(n) for n in sys.argv[2:]] or [10_000, 100_000, 1_000_000]
    results = []
    print("documents  µs each  MiB  first s  status s (running, after)  again µs each  wall s")
    for documents in sizes:
        with tempfile.TemporaryDirectory(prefix="arkseal_bench_", dir=os.environ.get("BENCH_FOLDER")) as here:
            os.mkdir(f"{here}/in")
            for name, text in (("in/documents", f"{documents}"), ("site.yaml", "organisation: Bench\njobs: 2\n"),
                               ("bench.yaml", "name: bench\nstages: [ingest, convert, sign, augment, bundle, validate]\n")):
                with open(f"{here}/{name}", "w", encoding="utf-8") as file:
                    file.write(text)
            out = f"{here}/out"
            cpu, memory, first, slowest, wall = run(tool, here, out)
            after = status_time(tool, out)
            again, *_ = run(tool, here, out)
            row = {"documents": documents, "cpu_us": cpu / documents * 1e6, "memory_mib": memory / 1024, "first_s": first,
                   "status_running_s": slowest, "status_after_s": after, "again_us": again / documents * 1e6, "wall_s": wall}
            results.append(row)
            print("{documents:9}  {cpu_us:7.0f}  {memory_mib:3.0f}  {first_s:7.2f}  {status_running_s:8.3f}  {status_after_s:8.3f}"
                  "           {again_us:7.0f}  {wall_s:8.1f}".format(**row), flush=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
