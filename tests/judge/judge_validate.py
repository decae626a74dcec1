"""The interface of `arkseal validate` that others rely on: one JSON object a line, its members, exit codes; text in two languages."""
import json
import os
import subprocess

from common import ARKSEAL, BACKLOG, FALSE_CLAIM, PKI, SOURCE, WORK, Faults, packages, pdfs

ROOTS = ["--trust", os.path.join(PKI, "root.pem"), "--trust", os.path.join(SOURCE, "fixtures", "pki", "people-root.pem")]
FILE = {"path", "kind", "verdict", "pdfa", "signatures", "problems"}
SIGNATURE = {"field", "type", "format", "indication", "subindication", "signer", "issuer", "signing_time", "best_signature_time",
             "covers", "changes"}


def ask(*words, stdin=None, env=None):
    done = subprocess.run([ARKSEAL, "validate", *words], capture_output=True, text=True, input=stdin, env=env)
    return done.returncode, done.stdout, done.stderr


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def check_pdfa(faults, signed, false_claim):
    """A flavour that is named or claimed counts; every rule that was tried is listed on request."""
    status, said, _ = ask("--format", "json", *ROOTS, "--pdfa", "1b", "--pdfa-rules", signed)
    found = objects(said)[0]
    pdfa, tried = found["pdfa"], {row["rule"]: row for row in found["pdfa"]["tried"]}
    faults.check(status == 1 and found["verdict"] == "invalid" and pdfa["flavour"] == "1b" and pdfa["verdict"] == "fail",
                 f"a 2b file is no 1b: exit {status}, {said}")
    faults.check("pdfa-broken" in [p["code"] for p in found["problems"]], f"the problem: {found['problems']}")
    faults.check(len(tried) == len(pdfa["tried"]) > 100, f"each rule once: {len(tried)} of {len(pdfa['tried'])}")
    faults.check(sorted(pdfa["rules"]) == sorted(r for r, row in tried.items() if row["broken"]), f"the broken rules: {pdfa}")
    faults.check(all(row["broken"] <= row["tried"] for row in tried.values()), f"how often: {pdfa['tried']}")
    status, said, _ = ask("--format", "json", *ROOTS, "--pdfa", "auto", false_claim)
    found = objects(said)[0]
    first = (found["pdfa"] or {"rules": []})["rules"][:1]
    faults.check(status == 1 and found["verdict"] == "invalid" and first, f"a false claim: exit {status}, {said}")
    faults.check(any(p["code"] == "pdfa-broken" and first and first[0] in p["message"] for p in found["problems"]), f"it names the first rule: {said}")
    for language, words in (("vi_VN.UTF-8", ("điều ", "gặp lần đầu: ", "trang 1")), ("C.UTF-8", ("clause ", "first: ", "page 1"))):
        _, said, _ = ask(*ROOTS, "--pdfa", "auto", "--pdfa-rules", false_claim, env={**os.environ, "LC_ALL": language})
        faults.check(all(word in said for word in (*first, *words)), f"{language}: {said[:2000]}")


def main():
    faults = Faults()
    archive = os.path.join(WORK, "archive")
    signed = pdfs(archive)["G09.02.003.0000004"]
    status, said, _ = ask("--format", "json", *ROOTS, archive)
    found = objects(said)
    faults.check(status == 0, f"a good archive: exit {status}")
    faults.check([r["kind"] for r in found].count("package") == 4, "four packages are reported")
    for r in found:
        faults.check(FILE == set(r), f"members of {r['path']}: {sorted(r)}")
        if r["kind"] == "pdf":
            false_claim = FALSE_CLAIM in r["path"]
            pdfa = r["pdfa"] or {}
            faults.check((pdfa.get("flavour"), pdfa.get("verdict")) == ("2b", "fail" if false_claim else "pass"), f"PDF/A: {r}")
            faults.check(bool(pdfa.get("rules")) == false_claim, f"broken rules of PDF/A: {r}")
        else:
            faults.check(r["pdfa"] is None, f"a package is no PDF/A: {r}")
        for s in r["signatures"]:
            faults.check(SIGNATURE <= set(s) <= SIGNATURE | {"reason"}, f"members of a signature: {sorted(s)}")
            faults.check(s["indication"] == "TOTAL-PASSED" and s["subindication"] is None, f"{r['path']}: {s}")
    both = [r for r in found if r["path"] == signed][0]["signatures"]
    faults.check([(s["type"], s["covers"]) for s in both] == [("signature", "earlier-revision"), ("signature", "earlier-revision"),
                                                             ("timestamp", "whole-file")], f"order and cover: {both}")
    faults.check([s["format"] for s in both] == ["PAdES-BASELINE-LTA", "PAdES-BASELINE-LTA", "RFC3161"], f"formats: {both}")

    status, said, _ = ask("--format", "json", signed)
    faults.check(status == 1 and objects(said)[0]["verdict"] == "indeterminate", f"without anchors: exit {status}, {said}")
    status, said, _ = ask("--format", "json", *ROOTS, "--files-from", "-", stdin=signed + "\n")
    faults.check(status == 0 and objects(said)[0]["verdict"] == "valid", f"--files-from -: exit {status}, {said}")
    status, said, _ = ask("--format", "json", *ROOTS, "--at", "2019-01-01T00:00:00+07:00", signed)
    faults.check(status == 1 and objects(said)[0]["verdict"] != "valid", f"before the certificates began: exit {status}, {said}")
    status, said, _ = ask("--format", "json", *ROOTS, os.path.join(BACKLOG, "G09/hop-02/ho-so-03/van-ban-den.pdf"))
    unsigned = objects(said)[0]
    faults.check(status == 1 and unsigned["verdict"] == "indeterminate" and unsigned["problems"][0]["code"] == "not-signed",
                 f"an unsigned PDF is no pass by omission: {unsigned}")
    status, said, _ = ask("--format", "json", *ROOTS, os.path.join(BACKLOG, "G09/hop-02/ho-so-04/bi-cat.jpg"))
    faults.check(status == 1 and objects(said)[0]["verdict"] == "invalid", f"a picture is no PDF: {said}")
    status, said, _ = ask("--format", "json", *ROOTS, os.path.join(WORK, "nothing-here.pdf"))
    faults.check(status == 1 and objects(said)[0]["verdict"] != "valid", f"a missing file: exit {status}, {said}")
    status, said, _ = ask("--format", "json", *ROOTS, "--pdfa", "auto", signed)
    faults.check(status == 0 and objects(said)[0]["pdfa"] == {"flavour": "2b", "verdict": "pass", "rules": []},
                 f"--pdfa auto: exit {status}, {said}")
    status, said, _ = ask("--format", "json", *ROOTS, "--pdfa", "none", signed)
    faults.check(status == 0 and objects(said)[0]["pdfa"] is None, f"--pdfa none: exit {status}, {said}")
    check_pdfa(faults, signed, pdfs(archive)[FALSE_CLAIM])
    seal = packages(archive)[0] + ".METS.p7s"
    os.rename(seal, seal + ".away")
    try:
        status, said, _ = ask("--format", "json", *ROOTS, packages(archive)[0])
        package = [r for r in objects(said) if r["kind"] == "package"][0]
        faults.check(status == 1 and package["verdict"] != "valid" and "seal-missing" in said, f"without its seal: {package}")
    finally:
        os.rename(seal + ".away", seal)

    for words in ([], ["--format", "xml", signed], ["--at", "yesterday", signed], ["--trust", "/nowhere.pem", signed], ["--no-such", signed], ["--pdfa", "9z", signed]):
        status, said, error = ask(*words)
        faults.check(status == 2 and error, f"{words}: exit {status}, not 2")
    for language, word in (("vi_VN.UTF-8", "HỢP LỆ"), ("C.UTF-8", "VALID")):
        status, said, _ = ask(*ROOTS, signed, env={**os.environ, "LC_ALL": language})
        faults.check(status == 0 and said.startswith(word) and "Nguyễn Văn Mẫu" in said, f"{language}: {said[:200]}")
    faults.end()


if __name__ == "__main__":
    main()
