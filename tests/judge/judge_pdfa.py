"""Our verdicts on PDF/A beside veraPDF's and the corpus' own.

Over the corpus of PDF/A (ARKSEAL_CORPUS, else ../shared/corpus): each file in its profile's flavour, against the verdict that its manifest
gives and the rules that veraPDF reports. Over all other PDFs at hand (what arkseal made, signed and hostile ones of the corpus): flavours 1b
and 2b against veraPDF alone. Each difference is a row of pdfa-differences.tsv with the clause that decides it, and no row is in vain.

  judge_pdfa.py            the test
  judge_pdfa.py --print    the differences as rows, without their reasons
"""
import collections
import csv
import os
import subprocess
import sys

from common import BUILD, JUDGES, SOURCE, WORK, Faults

VERDICTS = os.path.join(BUILD, "stages", "pdfa", "pdfa_verdicts")
DIFFERENCES = os.path.join(SOURCE, "tests", "judge", "pdfa-differences.tsv")
COLUMNS = ["file", "flavour", "ours", "veraPDF", "clause", "why"]
FLAVOURS = {"TWG-1": "1b", "TWG-2": "2b", "TWG-3": "3b"}  # other profiles are called as their flavour
RIGHT, COMMON, SAME = 0.995, 0.99, 0.95
TIME_LIMIT_S = 900

# What was said of a file: PASS, FAIL or ERROR, and the broken rules. A reader that gives up has seen only a part of them.
Said = collections.namedtuple("Said", "word rules whole")


def corpus(*parts):
    return os.path.join(os.environ.get("ARKSEAL_CORPUS") or os.path.join(SOURCE, "..", "shared", "corpus"), *parts)


def said(line):
    word, _, path, rest = line.split("\t")
    parts = [p for p in rest.split(",") if p] if word != "ERROR" else []
    rules = frozenset(p for p in parts if p[:1].isdigit() and "(" not in p)
    # veraPDF's own rules are all that it says; ours may end with "(code: what could not be read)".
    return path, Said(word, rules, word != "ERROR" and "(" not in rest)


def ours(asked):
    """{(flavour, path): Said} of our checker, in one process."""
    lines = "".join(f"{flavour}\t{path}\n" for flavour, path in asked)
    done = subprocess.run([VERDICTS], input=lines, capture_output=True, text=True, errors="replace", timeout=TIME_LIMIT_S)
    answers = [said(line) for line in done.stdout.splitlines() if line.count("\t") == 3]
    if done.returncode != 0 or len(answers) != len(asked):
        sys.exit(f"pdfa_verdicts: exit {done.returncode}, {len(answers)} answers to {len(asked)} files\n{done.stderr}")
    return dict(zip(asked, (answer for _, answer in answers)))


def theirs(asked):
    """{(flavour, path): Said} of veraPDF, one call a flavour."""
    found = {}
    for flavour in sorted({f for f, _ in asked}):
        paths = [p for f, p in asked if f == flavour]
        done = subprocess.run([os.path.join(JUDGES, "verapdf"), "-f", flavour, *paths], capture_output=True, text=True, errors="replace",
                              timeout=TIME_LIMIT_S)
        answers = dict(said(line) for line in done.stdout.splitlines() if line.count("\t") == 3)
        if len(answers) != len(set(paths)):
            sys.exit(f"verapdf -f {flavour}: exit {done.returncode}, {len(answers)} answers to {len(paths)} files\n{done.stderr}")
        found.update({(flavour, path): answers[path] for path in paths})
    return found


def differ(a, b):
    """Whether two say different things: another verdict, where to give up is to fail; or, where both have read all, other rules."""
    if (a.word == "PASS") != (b.word == "PASS"):
        return True
    return a.whole and b.whole and a.rules != b.rules


def text(s):
    return " ".join(filter(None, (s.word, ",".join(sorted(s.rules)), "" if s.whole or s.word == "ERROR" else "…")))


def pdfs_below(*folders):
    for folder in folders:
        for at, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if name.lower().endswith(".pdf"):
                    yield os.path.join(at, name)


def short(path):
    """A path as the differences have it: below the corpus, or below the sources."""
    for root, name in ((corpus(), "corpus"), (SOURCE, "")):
        relative = os.path.relpath(path, root)
        if not relative.startswith(".."):
            return os.path.join(name, relative)
    return path


def listed():
    """{(file, flavour): row} of pdfa-differences.tsv."""
    with open(DIFFERENCES, newline="", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return {(row["file"], row["flavour"]): row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}


def share(faults, what, part, of, least):
    faults.check(of > 0 and part >= least * of, f"{what}: {part} of {of}, less than {least:.1%}")
    print(f"{what}: {part} of {of} ({part / max(of, 1):.2%}; at least {least:.1%})")


def check_corpus(faults, expected, we, they):
    """The shares that are asked for, over the corpus of PDF/A."""
    right = sum((we[k].word == "PASS") == (verdict == "pass") for k, verdict in expected.items())
    failing = [k for k, verdict in expected.items() if verdict == "fail" and they[k].rules]
    share(faults, "right verdict", right, len(expected), RIGHT)
    share(faults, "failing, with a rule in common", sum(bool(we[k].rules & they[k].rules) for k in failing), len(failing), COMMON)
    share(faults, "failing, with the same rules", sum(we[k].rules == they[k].rules for k in failing), len(failing), SAME)


def check_differences(faults, found):
    rows = listed()
    for key, (a, b) in sorted(found.items()):
        row = rows.get(key)
        faults.check(row is not None and (row["ours"], row["veraPDF"]) == (text(a), text(b)),
                     f"{key[0]} as {key[1]}: ours {text(a)}, veraPDF's {text(b)}; listed: {row and (row['ours'], row['veraPDF'])}")
    for key, row in sorted(rows.items()):
        faults.check(key in found, f"{key[0]} as {key[1]}: listed, but there is no difference any more")
        faults.check(row["clause"] and row["why"], f"{key[0]} as {key[1]}: listed without clause or reason")


def main():
    faults = Faults()
    manifest = corpus("pdfa", "manifest.tsv")
    if not os.path.exists(manifest):
        print(f"NOT RUN: there is no corpus of PDF/A at {corpus('pdfa')} (ARKSEAL_CORPUS)")
        return 0
    with open(manifest, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    expected = {(FLAVOURS.get(r["profile"], r["profile"]), corpus("pdfa", r["file"])): r["expected"] for r in rows}
    others = list(pdfs_below(os.path.join(SOURCE, "fixtures"), WORK, corpus("signatures"), corpus("hostile")))
    asked = [*expected, *((flavour, path) for path in others for flavour in ("1b", "2b"))]
    we, they = ours(asked), theirs(asked)
    found = {(short(k[1]), k[0]): (we[k], they[k]) for k in asked if differ(we[k], they[k])}
    # The corpus' word and veraPDF's are the same; where they were not, the manifest would decide.
    found.update({(short(k[1]), k[0]): (we[k], they[k]) for k, verdict in expected.items() if (we[k].word == "PASS") != (verdict == "pass")})
    if sys.argv[1:] == ["--print"]:
        print("\t".join(COLUMNS))
        for (path, flavour), (a, b) in sorted(found.items()):
            print("\t".join((path, flavour, text(a), text(b), "", "")))
        return 0
    check_corpus(faults, expected, we, they)
    agree = sum(not differ(we[k], they[k]) for k in asked[len(expected):])
    print(f"other PDFs, as 1b and 2b: {agree} of {len(asked) - len(expected)} agree with veraPDF")
    check_differences(faults, found)
    faults.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
