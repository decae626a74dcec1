"""One flipped byte anywhere in a package, its METS.xml, its seal or a signed PDF: validate says invalid, and where."""
import json
import os
import random
import re
import shutil
import subprocess

from common import ARKSEAL, PKI, SOURCE, WORK, Faults, packages, pdfs

TRUST = ["--trust", os.path.join(PKI, "root.pem"), "--trust", os.path.join(SOURCE, "fixtures", "pki", "people-root.pem")]


def validate(paths):
    done = subprocess.run([ARKSEAL, "validate", "--format", "json", *TRUST, "--files-from", "-"], input="\n".join(paths) + "\n",
                          capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def flip(path, at, bit):
    """Rewrites the file apart from its hard links, with one bit changed."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[at] ^= 1 << bit
    os.remove(path)
    with open(path, "wb") as file:
        file.write(data)


def places_in_package(package, pick):
    """(file relative to the package's parent, offset): each XML and schema some times, documents more often."""
    parent = os.path.dirname(package)
    files = [os.path.relpath(os.path.join(folder, n), parent) for folder, _, names in os.walk(package) for n in names]
    seal = os.path.basename(package) + ".METS.p7s"
    chosen = [os.path.join(os.path.basename(package), "METS.xml")] * 40 + files * 4
    for name in chosen:
        yield name, pick.randrange(os.path.getsize(os.path.join(parent, name)))
    ranges = covered_by_seal(os.path.join(parent, seal))
    for _ in range(30):
        first, length = pick.choice(ranges)
        yield seal, first + pick.randrange(length)


def covered_by_seal(path):
    """(offset, length) of the signed attributes and of the signature value: the last SET's [0] and OCTET STRING."""
    said = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", path], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *(\d+):d=5 +hl=(\d+) l= *(\d+) (cons: cont \[ 0 \]|prim: OCTET STRING)", said, re.M)
    (at, head, length, _), (at2, head2, length2, _) = found[-2:]
    return [(int(at) + int(head), int(length)), (int(at2) + int(head2), int(length2))]


def holes(data):
    """Where the values of the signatures lie: their bytes are not covered by themselves."""
    at, found = 0, []
    while (at := data.find(b"/Contents <", at)) >= 0:
        end = data.index(b">", at)
        found.append((at, end))
        at = end
    return found


def check(faults, made, what):
    for index in range(0, len(made), 40):
        part = made[index:index + 40]
        _, reports, said = validate([path for path, _, _ in part])
        for path, name, at in part:
            mine = [r for r in reports if r["path"] == path]
            inner = [r for r in reports if r["path"].startswith(path + "/")]
            if not faults.check(len(mine) == 1, f"{what}: no report for {name} at {at}: {said[-400:]}"):
                continue
            faults.check(mine[0]["verdict"] == "invalid", f"{what}: {name} at {at}: {mine[0]['verdict']}: {mine[0]['problems']}")
            told = json.dumps([mine[0]["problems"], mine[0]["signatures"], [r["path"] for r in inner]], ensure_ascii=False)
            place = "METS" if name.endswith((".METS.p7s", "METS.xml")) else os.path.basename(name)
            faults.check(place in told, f"{what}: {name} at {at}: the report does not say where: {told[:300]}")


def main():
    faults = Faults()
    pick = random.Random(60)
    work = os.path.join(WORK, "flips")
    shutil.rmtree(work, ignore_errors=True)
    # The smallest package: what is checked is the same in all.
    package = min(packages(os.path.join(WORK, "archive")), key=lambda p: sum(os.path.getsize(os.path.join(f, n)) for f, _, ns in os.walk(p) for n in ns))
    status, reports, said = validate([package])
    faults.check(status == 0 and all(r["verdict"] == "valid" for r in reports), f"the untouched package is not valid: {reports} {said}")
    made = []
    for i, (name, at) in enumerate(places_in_package(package, pick)):
        parent = os.path.join(work, f"{i:04}")
        shutil.copytree(package, os.path.join(parent, os.path.basename(package)), copy_function=os.link)
        os.link(package + ".METS.p7s", os.path.join(parent, os.path.basename(package) + ".METS.p7s"))
        flip(os.path.join(parent, name), at, pick.randrange(8))
        made.append((os.path.join(parent, os.path.basename(package)), name, at))
    check(faults, made, "package")
    shutil.rmtree(work)

    made = []
    document = pdfs(os.path.join(WORK, "archive"))["G12.01.001.0000001"]
    with open(document, "rb") as file:
        data = file.read()
    os.makedirs(work)
    outside = holes(data)
    while len(made) < 150:
        at = pick.randrange(len(data))
        if any(a <= at <= b for a, b in outside):
            continue
        path = os.path.join(work, f"{len(made):04}.pdf")
        shutil.copyfile(document, path)
        flip(path, at, pick.randrange(8))
        made.append((path, os.path.basename(path), at))
    for index in range(0, len(made), 50):
        part = made[index:index + 50]
        _, reports, said = validate([p for p, _, _ in part])
        verdicts = {r["path"]: r for r in reports}
        for path, _, at in part:
            report = verdicts.get(path, {"verdict": said[-400:], "problems": []})
            faults.check(report["verdict"] == "invalid", f"PDF at {at}: {report['verdict']}: {report['problems']}")
    shutil.rmtree(work)
    faults.end()


if __name__ == "__main__":
    main()
