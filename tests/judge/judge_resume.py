"""Stopping and starting again: killed at random moments and started again, a run ends as if it had never stopped."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

from common import ARKSEAL, BACKLOG, DOCUMENTS, PKI, SOURCE, WORK, Faults, packages, pdfs, run, token_environment

TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
OUT = os.path.join(WORK, "resumed")


def start():
    words = [ARKSEAL, "run", BACKLOG, "--profile", "vn-digitised", "--site", os.path.join(PKI, "site.yaml"), "--out", OUT,
             "--set", "convert.ocr=none"]
    return subprocess.Popen(words, env=token_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main():
    faults = Faults()
    pick = random.Random(173)
    shutil.rmtree(OUT, ignore_errors=True)
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(os.environ["ARKSEAL_BUILD"], "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    run(TESTPKI, "set", PKI, "reset")
    try:
        stops = 0
        for attempt in range(30):
            process = start()
            if attempt < 8:
                time.sleep(pick.uniform(0.2, 0.9))
                process.send_signal(signal.SIGKILL if attempt % 2 else signal.SIGTERM)
            said, _ = process.communicate(timeout=300)
            if process.returncode == 1 or attempt >= 8:
                break
            stops += 1
            faults.check(process.returncode in (3, -9), f"stopped: exit {process.returncode}, not 3: {said[-500:]}")
        print(f"stopped {stops} times")
        faults.check(process.returncode == 1, f"the end: exit {process.returncode}, not 1: {said[-800:]}")
        asked = json.loads(run(TESTPKI, "count", PKI))
    finally:
        run(TESTPKI, "stop", PKI)
    made = pdfs(OUT)
    faults.check(set(made) == set(DOCUMENTS), f"{sorted(set(DOCUMENTS) ^ set(made))} is missing or too many")
    faults.check(len(packages(OUT)) == 4, f"4 packages, not {packages(OUT)}")
    inside = [n for n in os.listdir(OUT) if not n.startswith("urn_") and n not in (".arkseal", "quarantine")]
    faults.check(not inside, f"strangers in the archive: {inside}")
    left = os.listdir(os.path.join(OUT, ".arkseal", "work"))
    faults.check(not [n for n in left if ".part-" in n], f"temporary files were left: {left}")
    # Two stamps a document, one a seal, a probe for each process that augments; what was in hand at a stop may be stamped once more.
    stamps = asked["tsa"] + asked.get("tsa2", 0)
    faults.check(stamps >= 2 * len(DOCUMENTS) + 4, f"only {stamps} timestamps were asked for: {asked}")
    faults.check(stamps <= 2 * len(DOCUMENTS) + 4 + 12 * (stops + 1), f"{stamps} timestamps were asked for in {stops} stops: {asked}")
    trust = ["--trust", os.path.join(PKI, "root.pem"), "--trust", os.path.join(SOURCE, "fixtures", "pki", "people-root.pem")]
    done = subprocess.run([ARKSEAL, "validate", "--format", "json", *trust, OUT], capture_output=True, text=True)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    faults.check(done.returncode == 0 and len(reports) == len(DOCUMENTS) + 4, f"{len(reports)} reports, exit {done.returncode}")
    for report in reports:
        faults.check(report["verdict"] == "valid", f"{report['path']}: {report['problems']}")
    faults.end()


if __name__ == "__main__":
    main()
