"""Runs arkseal over the fixtures as its users would: what the judges then judge."""
import os
import shutil
import subprocess
import sys

from common import ARKSEAL, BACKLOG, BUILD, PKI, SOURCE, WORK, run, token_environment

TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")


def arkseal(name, expect, *words, backlog=BACKLOG):
    out = os.path.join(WORK, name)
    done = subprocess.run([ARKSEAL, "run", backlog, "--out", out, *words], env=token_environment(), capture_output=True, text=True)
    print(f"--- {name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    if done.returncode != expect:
        sys.exit(f"{name}: exit {done.returncode}, not {expect}")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    site = ["--site", os.path.join(PKI, "site.yaml")]
    try:
        arkseal("archive", 1, "--profile", "vn-digitised", *site)
        arkseal("archive-ec-zip", 0, "--profile", "vn-digitised", "--site", os.path.join(PKI, "site-ec.yaml"),
                "--set", "bundle.form=zip", "--set", "convert.ocr=none", backlog=only_scans())
        arkseal("plain", 1, "--profile", "pdfa-only")
        arkseal("converted", 1, "--profile", "vn-digitised", "--set", "stages=[ingest, convert]")
    finally:
        run(TESTPKI, "stop", PKI)


def only_scans():
    """A backlog that holds the fonds G12 alone."""
    folder = os.path.join(WORK, "backlog-G12")
    shutil.copytree(os.path.join(BACKLOG, "G12"), os.path.join(folder, "G12"))
    return folder


if __name__ == "__main__":
    main()
