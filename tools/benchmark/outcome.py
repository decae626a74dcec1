"""Whether what came out is right: asked of programs that neither arkseal nor its peers brought along, where they are installed."""
import collections
import os
import subprocess
import unicodedata

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JUDGES = os.path.join(SOURCE, "tools", "judges")


def say(command):
    """Standard output and exit code; (text, None) where the program is not there or not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=1800)
    except (OSError, subprocess.TimeoutExpired):
        return "", None
    return done.stdout, None if "is not installed" in done.stderr else done.returncode


def judge(name, options, paths):
    """Paths that the judge passes in every line; None where it cannot be asked."""
    if not paths:
        return set()
    text, code = say([os.path.join(JUDGES, name), *options, *paths])
    if code is None:
        return None
    lines = [line.split("\t") for line in text.splitlines()]
    failed = {line[2] for line in lines if len(line) > 2 and line[0] != "PASS"}
    return {line[2] for line in lines if len(line) > 2 and line[0] == "PASS"} - failed


def pages(path):
    text, code = say(["pdfinfo", path])
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pages:")), 0) if code == 0 else 0


def words(text):
    return collections.Counter(unicodedata.normalize("NFC", text).split())


def found_words(path, document):
    """The share of the page's words that the text layer holds."""
    text, code = say(["pdftotext", path, "-"])
    with open(document.truth, encoding="utf-8") as file:
        truth = words(file.read())
    return sum((truth & words(text)).values()) / max(1, sum(truth.values())) if code == 0 else 0.0


class Outcome:
    """How many of `of` are right; `reasons` counts what is wrong with the others, `unjudged` names judges that could not be asked."""

    def __init__(self, of):
        self.of, self.right, self.reasons, self.unjudged, self.words_found = of, 0, collections.Counter(), set(), None

    def as_json(self):
        return {"right": self.right, "of": self.of, "reasons": dict(self.reasons), "unjudged": sorted(self.unjudged),
                "words_found": self.words_found}


def check_pdfs(documents, made, text=False, pdfa=True, signed_by=None):
    """made: document code → path. signed_by: the trust anchor of the signatures."""
    outcome = Outcome(len(documents))
    there = {d.code: made[d.code] for d in documents if d.code in made and os.path.exists(made[d.code])}
    paths = sorted(there.values())
    archival = judge("verapdf", [], paths) if pdfa else set(paths)
    signed = judge("pyhanko", ["--trust", signed_by], paths) if signed_by else set(paths)
    if archival is None:
        outcome.unjudged.add("veraPDF")
    if signed is None:
        outcome.unjudged.add("pyHanko")
    found = []
    for document in documents:
        path = there.get(document.code)
        if path is None:
            faults = ["missing"]
        else:
            share = found_words(path, document) if text else 1.0
            found += [share]
            faults = [word for word, wrong in (
                ("wrong number of pages", pages(path) != len(document.pictures)),
                ("less than 80 % of the words", share < 0.8),
                ("not PDF/A", archival is not None and path not in archival),
                ("signature not valid", signed is not None and path not in signed),
            ) if wrong]
        outcome.reasons.update(faults)
        outcome.right += not faults
    if text and found:
        outcome.words_found = sum(found) / len(found)
    return outcome


def check_packages(expected, packages, is_valid):
    outcome = Outcome(expected)
    outcome.right = sum(1 for path in packages if is_valid(path))
    wrong = len(packages) - outcome.right
    for word, n in (("package not valid", wrong), ("missing", expected - len(packages))):
        if n > 0:
            outcome.reasons[word] = n
    return outcome
