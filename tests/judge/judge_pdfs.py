"""Every PDF in every archive: veraPDF, EU DSS, pyHanko and qpdf must agree that it is right."""
import os
import sys
import zipfile

from common import FALSE_CLAIM, JUDGES, PKI, WORK, Faults, ask, pdfs


def verdicts(lines):
    """{path: [columns]} of a judge's output."""
    found = {}
    for line in lines:
        columns = line.split("\t")
        if len(columns) > 2 and columns[0] in ("PASS", "FAIL", "ERROR"):
            found.setdefault(columns[2], []).append(columns)
    return found


def unpack(archive, to):
    """The PDFs of the ZIP packages of an archive."""
    made = {}
    for name in sorted(os.listdir(archive)):
        if name.endswith(".zip"):
            with zipfile.ZipFile(os.path.join(archive, name)) as package:
                for entry in package.namelist():
                    if entry.endswith(".pdf"):
                        made[os.path.basename(entry).removesuffix(".pdf")] = package.extract(entry, to)
    return made


def main():
    faults = Faults()
    signed = {**{("archive", k): v for k, v in pdfs(os.path.join(WORK, "archive")).items()},
              **{("ec", k): v for k, v in unpack(os.path.join(WORK, "archive-ec-zip"), os.path.join(WORK, "unpacked")).items()}}
    plain = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(WORK, "plain"))
             if ".arkseal" not in folder and "quarantine" not in folder for name in names if name.endswith(".pdf")]
    faults.check(len(signed) == 18, f"18 signed documents, not {len(signed)}")
    faults.check(len(plain) == 11, f"11 plain documents, not {len(plain)}")  # one is signed and no PDF/A: set aside
    paths = list(signed.values())
    roots = [os.path.join(PKI, "root.pem"), os.path.join(PKI, "people-root.pem")]
    if not os.path.exists(roots[1]):
        roots[1] = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "fixtures/pki/people-root.pem")
    trust = [w for root in roots for w in ("--trust", root)]

    _, lines, said = ask(os.path.join(JUDGES, "verapdf"), "-f", "2b", *paths, *plain)
    by_path = verdicts(lines)
    for path in paths + plain:
        wrong_claim = FALSE_CLAIM in path
        verdict = by_path.get(path, [["missing", said]])[0]
        faults.check((verdict[0] == "PASS") != wrong_claim, f"veraPDF: {path}: {verdict}")

    _, lines, said = ask(os.path.join(JUDGES, "dss"), *trust, *paths)
    by_path = verdicts(lines)
    for (archive, code), path in signed.items():
        rows = by_path.get(path, [])
        faults.check(rows and all(r[0] == "PASS" for r in rows), f"DSS: {path}: {rows or said}")
        ours = [r for r in rows if r[1] == "PAdES-BASELINE-LTA"]
        expected = 2 if code in ("G09.02.003.0000004", FALSE_CLAIM) else 1
        faults.check(len(ours) == expected, f"DSS: {path}: {len(ours)} signatures are PAdES-BASELINE-LTA, not {expected}: {rows}")
        faults.check(any(r[1] == "DOCUMENT_TIMESTAMP" for r in rows), f"DSS: {path}: no document timestamp")

    _, lines, said = ask(os.path.join(JUDGES, "pyhanko"), *trust, *paths)
    by_path = verdicts(lines)
    for path in paths:
        rows = by_path.get(path, [])
        faults.check(rows and all(r[0] == "PASS" for r in rows), f"pyHanko: {path}: {rows or said}")

    for path in paths + plain:
        status, lines, said = ask("qpdf", "--check", path)
        faults.check(status == 0, f"qpdf: {path}: {lines} {said}")
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
