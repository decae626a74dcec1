"""Services that fail: the run waits, stops with exit 3, sets nothing aside; when they are back the same command ends the work."""
import os
import shutil
import subprocess

from common import ARKSEAL, BACKLOG, PKI, SOURCE, WORK, Faults, packages, run, token_environment

TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
OUT = os.path.join(WORK, "weather")

# what misbehaves, and the code that the run must name
WEATHER = [
    (["tsa=down", "tsa2=down"], "tsa-unreachable"),
    (["tsa=wrong-nonce", "tsa2=wrong-nonce"], "tsa-nonce"),
    (["tsa=wrong-imprint", "tsa2=wrong-imprint"], "tsa-imprint"),
    (["tsa=garbage", "tsa2=truncated"], "tsa-"),
    (["tsa=clock:3600", "tsa2=clock:3600"], "tsa-clock"),
    (["ocsp=down", "crl=down"], "revocation-unreachable"),
    (["ocsp=revoked:seal-rsa"], "cert-revoked"),
]


def arkseal(backlog):
    words = [ARKSEAL, "run", backlog, "--profile", "vn-digitised", "--site", os.path.join(PKI, "site.yaml"), "--out", OUT,
             "--set", "convert.ocr=none", "--set", "limits.pause-limit-s=2"]
    done = subprocess.run(words, env=token_environment(), capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def main():
    faults = Faults()
    backlog = os.path.join(WORK, "backlog-weather")
    shutil.rmtree(backlog, ignore_errors=True)
    shutil.copytree(os.path.join(BACKLOG, "G12"), os.path.join(backlog, "G12"))
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(os.environ["ARKSEAL_BUILD"], "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    try:
        for switches, code in WEATHER:
            shutil.rmtree(OUT, ignore_errors=True)
            run(TESTPKI, "set", PKI, "reset", *switches)
            status, said = arkseal(backlog)
            faults.check(status == 3, f"{switches}: exit {status}, not 3: {said[-600:]}")
            faults.check(code in said, f"{switches}: {code} is not named: {said[-600:]}")
            quarantine = os.path.join(OUT, "quarantine")
            faults.check(not os.path.isdir(quarantine) or not os.listdir(quarantine), f"{switches}: something is in quarantine")
            faults.check(not packages(OUT), f"{switches}: a package appeared")
            run(TESTPKI, "set", PKI, "reset")
            status, said = arkseal(backlog)
            faults.check(status == 0 and len(packages(OUT)) == 1, f"after {switches}: exit {status}: {said[-600:]}")
    finally:
        run(TESTPKI, "stop", PKI)
    faults.end()


if __name__ == "__main__":
    main()
