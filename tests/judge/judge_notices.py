"""Each bad fixture is refused or set aside with a notice in Vietnamese and English that names the file, the rule and the remedy."""
import os
import re

from common import BAD, WORK, Faults, pdfs


def main():
    faults = Faults()
    folder = os.path.join(WORK, "archive", "quarantine")
    notices = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".txt"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                notices[name] = file.read()
    faults.check(len(notices) == len(BAD), f"{len(BAD)} notices, not {len(notices)}: {list(notices)}")
    for fixture, word in BAD.items():
        stem = fixture.rsplit(".", 1)[0]
        fitting = [t for t in notices.values() if stem in t and word in t]
        if not faults.check(len(fitting) == 1, f"{fixture}: {len(fitting)} notices name it"):
            continue
        text = fitting[0]
        faults.check(re.search(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệ]", text) is not None, f"{fixture}: no Vietnamese in its notice")
        faults.check(re.search(r"\b(the|is|not|a)\b", text) is not None, f"{fixture}: no English in its notice")
    wrong = [t for t in notices.values() if "77" in t and "metadata.xlsx" in t]
    faults.check(bool(wrong) and "01" in wrong[0] and "32" in wrong[0], "the wrong code's notice names the spreadsheet and the allowed values")
    secret = [t for t in notices.values() if "bi-mat" in t]
    faults.check(bool(secret) and "60/2025" in secret[0], "the secret document's notice names Decision 60/2025")
    faults.check(not [c for c in pdfs(os.path.join(WORK, "archive")) if c.startswith("G09.02.004")], "nothing of the bad dossier is in a package")
    faults.end()


if __name__ == "__main__":
    main()
