"""Each kind of key, way of signing, digest and level: a PDF and a PDF/A with each are what EU DSS, pyHanko, poppler and arkseal validate call valid, at the
level that was asked for; a key that the profile does not allow is refused before anything is signed."""
import glob
import json
import os
import re
import shutil
import sys
import zipfile

from common import ARKSEAL, BUILD, JUDGES, PKI, SOURCE, WORK, Faults, ask, run, token_environment
from judge_received import attached, put

TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
ROOT = os.path.join(WORK, "algorithms")
TRUST = ["--trust", os.path.join(PKI, "root.pem")]
SHA2, SHA3 = ["sha256", "sha384", "sha512"], ["sha3-256", "sha3-384", "sha3-512"]
# site file: {way: digests}
KEYS = {"site": {"rsa-pkcs1": SHA2 + SHA3, "rsa-pss": SHA2}, "site-rsa4096": {"rsa-pkcs1": ["sha256"], "rsa-pss": ["sha512"]},
        "site-ec": {"ecdsa": SHA2 + SHA3}, "site-p384": {"ecdsa": ["sha384", "sha3-384"]}, "site-p521": {"ecdsa": ["sha512", "sha3-512"]},
        "site-ed25519": {"ed25519": ["sha512"]}, "site-asks": {"rsa-pss": ["sha256"]}}
RSA_SHA3 = [("rsa-pkcs1", digest) for digest in SHA3]
LEVELS = ["B-B", "B-T", "B-LT", "B-LTA"]


def rows():
    """(folder, site, way, digest, level): all levels with the first digest of a way, B-LTA with the others."""
    for site, ways in KEYS.items():
        for way, digests in ways.items():
            for digest in digests:
                for level in LEVELS if digest == digests[0] else LEVELS[-1:]:
                    yield f"{site}-{way}-{digest}-{level}", site, way, digest, level


def sign(backlog, row, expect=0):
    name, site, way, digest, level = row
    out = os.path.join(ROOT, name)
    run(ARKSEAL, "run", backlog, "--profile", "sign-only", "--out", out, "--site", os.path.join(PKI, site + ".yaml"), "--set", "ingest.settle-seconds=0",
        "--set", f"sign.algorithms=[{way}]", "--set", f"sign.digest={digest}", "--set", f"sign.level={level}", expect=expect, env=token_environment())
    return [os.path.join(out, n) for n in ("a.pdf", "b.pdf")]


def by_path(lines):
    found = {}
    for line in lines:
        words = line.split("\t")
        found.setdefault(next((w for w in words if w.startswith(ROOT)), ""), []).append(words)
    return found


def with_eddsa():
    """DSS's own policy, but that the lines on EdDSA that it has in comments count."""
    cache = os.environ.get("JUDGES_CACHE", os.path.expanduser("~/.cache/arkseal-judges"))
    with zipfile.ZipFile(glob.glob(os.path.join(cache, "dss", "lib", "dss-policy-jaxb-*.jar"))[0]) as jar:
        policy = jar.read("policy/constraint.xml").decode()
    path = os.path.join(ROOT, "policy.xml")
    with open(path, "w", encoding="utf-8") as out:
        out.write(re.sub(r"<!--\s*(<Algo[^>]*>EdDSA</Algo>).*?-->", r"\1", policy))
    return path


def dss_says(faults, row, path, found):
    """Below B-LT the file holds no revocation data, and the judge has no other: the signature itself is right, and the rest is not known."""
    level, whole = row[4][2:], row[4] in ("B-LT", "B-LTA")
    if not faults.check(found and any(r[1] == "PAdES-BASELINE-" + level for r in found), f"DSS: {path}: {found}"):
        return
    faults.check(all(r[0] == "PASS" for r in found) if whole else found[0][3:5] == ["INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE"], f"DSS: {path}: {found}")


def judge(faults, made):
    """made: {row: files}"""
    every = [p for files in made.values() for p in files]
    lines = ask(ARKSEAL, "validate", "--site", os.path.join(PKI, "site.yaml"), "--format", "json", *every)[1]
    reports = {r["path"]: r for r in map(json.loads, lines)}
    pyhanko, dss = (by_path(ask(os.path.join(JUDGES, judge), *TRUST, *every)[1]) for judge in ("pyhanko", "dss"))
    edwards = [p for row, files in made.items() if row[2] == "ed25519" for p in files]
    eddsa = by_path(ask(os.path.join(JUDGES, "dss"), *TRUST, "--policy", with_eddsa(), *edwards)[1])
    for row, files in made.items():
        whole = row[4] in ("B-LT", "B-LTA")
        for path in files:
            report, signature = reports[path], reports[path]["signatures"][0]
            dss_says(faults, row, path, (eddsa if row[2] == "ed25519" else dss).get(path, []))
            found = pyhanko.get(path, [])
            right = all(r[0] == "PASS" for r in found) if whole else "intact valid" in found[0][8]
            # pyHanko's reader of ASN.1 (asn1crypto) does not know the signature algorithms of RFC 9688 with RSA; DSS does.
            faults.check(found and (right or row[2:4] in RSA_SHA3), f"pyHanko: {path}: {found}")
            right = report["verdict"] == "valid" if whole else signature["subindication"] == "TRY_LATER"
            faults.check(right and signature["format"] == "PAdES-BASELINE-" + row[4][2:], f"validate: {report}")
            lines = ask("pdfsig", "-nocert", path)[1]
            # poppler's NSS knows neither SHA-3 nor EdDSA.
            unknown = "sha3" in row[3] or row[2] == "ed25519"
            faults.check(lines and (unknown or any("Signature is Valid" in line for line in lines)), f"pdfsig: {path}: {lines}")


def main():
    faults = Faults()
    backlog, source = os.path.join(ROOT, "in"), os.path.join(ROOT, "source")
    shutil.rmtree(ROOT, ignore_errors=True)
    put(backlog, "a.pdf", attached(b"x"))
    put(source, "b.pdf", attached(b"x"))
    run(ARKSEAL, "run", source, "--profile", "pdfa-only", "--out", os.path.join(ROOT, "pdfa"), "--set", "convert.ocr=none")
    shutil.copy(os.path.join(ROOT, "pdfa", "b.pdf"), backlog)
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    try:
        made = {row: sign(backlog, row) for row in rows()}
        for row in (("refused-kind", "site-ed25519", "rsa-pkcs1,rsa-pss,ecdsa", "sha256", "B-B"), ("refused-way", "site-ec", "rsa-pss", "sha256", "B-B")):
            files = sign(backlog, row, expect=3)
            faults.check(not any(os.path.exists(p) for p in files), f"{row[0]}: signed")
    finally:
        run(TESTPKI, "stop", PKI)
    judge(faults, made)
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
