"""Every package: official schemas, E-ARK validators. What they may say is in eark-differences.tsv, each with its reason."""
import csv
import os
import shutil
import zipfile

from common import JUDGES, SOURCE, WORK, Faults, ask, packages


def known_differences():
    with open(os.path.join(SOURCE, "tests", "judge", "eark-differences.tsv"), encoding="utf-8") as file:
        return {(row["tool"], row["requirement"]) for row in csv.DictReader(file, delimiter="\t")}


def main():
    faults = Faults()
    folders = packages(os.path.join(WORK, "archive"))
    faults.check(len(folders) == 4, f"4 packages, not {folders}")
    zips = [n for n in os.listdir(os.path.join(WORK, "archive-ec-zip")) if n.endswith(".zip")]
    faults.check(len(zips) == 1, f"1 package as ZIP, not {zips}")
    unpacked = os.path.join(WORK, "unpacked-packages")
    for name in zips:
        with zipfile.ZipFile(os.path.join(WORK, "archive-ec-zip", name)) as file:
            file.extractall(unpacked)
        shutil.copy(os.path.join(WORK, "archive-ec-zip", name.removesuffix(".zip") + ".METS.p7s"), unpacked)
    folders += packages(unpacked)
    for folder in folders:
        seal = folder + ".METS.p7s"
        faults.check(os.path.exists(seal), f"{seal} is missing")
        rep = os.path.join(folder, "representations", "rep1")
        for schema, files in (("mets", [os.path.join(folder, "METS.xml"), os.path.join(rep, "METS.xml")]),
                              ("premis", [os.path.join(folder, "metadata/preservation/PREMIS.xml"),
                                          os.path.join(rep, "metadata/preservation/PREMIS_rep1.xml")])):
            status, lines, said = ask(os.path.join(JUDGES, "xsd"), schema, *files)
            faults.check(status == 0, f"{schema}: {lines} {said}")
        for schema, pattern in (("EAD.xsd", "metadata/descriptive"), ("EAD_doc.xsd", None), ("EAD_pic.xsd", None), ("EAD_media.xsd", None)):
            where = os.path.join(folder, pattern) if pattern else os.path.join(rep, "metadata/descriptive")
            stem = schema.removesuffix(".xsd")
            files = [os.path.join(where, n) for n in os.listdir(where) if n == "EAD.xml" or n.startswith(stem + "_")]
            if files:
                status, lines, said = ask("xmllint", "--noout", "--schema", os.path.join(folder, "schemas", schema), *files)
                faults.check(status == 0, f"{schema}: {said}")
    known = known_differences()
    seen = set()
    for version in ("2.0.4", "2.2.0"):
        _, lines, said = ask(os.path.join(JUDGES, "eark"), "--spec", version, *folders)
        faults.check(len([l for l in lines if l.split("\t")[0] in ("PASS", "FAIL")]) == 2 * len(folders),
                     f"an E-ARK validator gave up: {lines} {said}")
        for line in lines:
            columns = line.split("\t")
            tool = columns[1].split("/")[0]
            for requirement in filter(None, columns[3].split(",")):
                seen.add((tool, requirement))
                faults.check((tool, requirement) in known, f"{tool} {version}: {requirement} fails for {columns[2]}")
    for tool, requirement in sorted(known - seen):
        faults.check(False, f"eark-differences.tsv lists {tool} {requirement}, which no longer fails")
    faults.end()


if __name__ == "__main__":
    main()
