"""What is not paper: photographs kept as pictures, sound and video lie in the packages as they came, each with a detached signature that EU DSS and
OpenSSL find valid; what is below the least bit rate, cut off or in another format is set aside."""
import csv
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

from PIL import Image

from common import ARKSEAL, BUILD, JUDGES, PKI, SOURCE, WORK, Faults, ask, packages, run, token_environment

MEDIA = os.path.join(SOURCE, "fixtures", "media")
PHOTO = os.path.join(SOURCE, "fixtures", "backlog", "G09", "hop-01", "ho-so-02", "anh-khanh-thanh.jpg")
TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
DOSSIER = {"Tiêu đề hồ sơ": "Ảnh và băng ghi", "Thời hạn bảo quản": "01", "Chế độ sử dụng hồ sơ": "01", "Ngôn ngữ hồ sơ": "01",
           "Thời gian bắt đầu": "05/01/2026", "Thời gian kết thúc": "30/06/2026", "Số lượng tờ": "1", "Số lượng trang": "1",
           "Mức độ tin cậy hồ sơ": "02", "Mã hồ sơ giấy": "HSG", "Dự phòng": "0"}
PICTURE = {"Loại tài liệu": "Ảnh", "Tên ảnh": "Lễ khánh thành", "Tên sự kiện": "Khánh thành", "Loại ảnh": "02", "Chế độ sử dụng": "01"}
RECORDING = {"Tiêu đề phim/âm thanh": "Hội nghị", "Chế độ sử dụng": "01", "Ngôn ngữ": "01"}
GOOD = ["anh.jpg", "anh.tif", "anh.png", "ghi-am.mp3", "ghi-am.wma", "video.mp4", "video.avi", "video.wmv"]
# what sets a file aside
BAD = {"thap.mp3": "check-low-bit-rate", "thap.mp4": "check-low-bit-rate", "cut.mp4": "media-cut-off", "song.flac": "media-refused",
       "cut.jpg": "jpeg-", "noise.mp4": "media-cut-off"}


def material(folder):
    """One dossier of what is good, one of what is not."""
    rows = []
    for dossier, names in (("Q01.01.001", GOOD), ("Q01.01.002", BAD)):
        place = os.path.join(folder, "Q01", "hop-01", dossier)
        os.makedirs(place)
        for i, name in enumerate(names):
            with open(os.path.join(place, name), "wb") as out:
                out.write(content(name))
            more = PICTURE if name.startswith(("anh", "cut.j")) else RECORDING
            rows.append({"Mã hồ sơ": dossier, **DOSSIER, "Tổng số văn bản": str(len(names)), "Số thứ tự": str(i + 1),
                         "Đường dẫn": f"hop-01/{dossier}/{name}", **more})
    columns = list(dict.fromkeys(k for r in rows for k in r))
    with open(os.path.join(folder, "Q01", "metadata.csv"), "w", encoding="utf-8-sig", newline="") as out:
        to = csv.DictWriter(out, columns, delimiter=";", restval="")
        to.writeheader()
        to.writerows(rows)


def content(name):
    if name in ("anh.tif", "anh.png"):
        path = os.path.join(WORK, "media", name)
        Image.open(PHOTO).save(path, dpi=(300, 300))
        name = path
    elif name == "anh.jpg":
        name = PHOTO
    elif name == "cut.jpg":
        return open(PHOTO, "rb").read()[:20000]
    elif name == "cut.mp4":
        return open(os.path.join(MEDIA, "video.mp4"), "rb").read()[:20000]
    elif name == "noise.mp4":
        return b"\0\0\0\x18ftypmp42" + bytes(i * i % 251 for i in range(5000))
    elif name == "song.flac":
        # fLaC, STREAMINFO: 4096 samples a block, 44,100 Hz, mono, 16 bit, a second; then noise
        return b"fLaC\x80\0\0\x22\x10\0\x10\0" + bytes(6) + b"\x0a\xc4\x40\xf0\0\0\xac\x44" + bytes(16) + b"\xff\xf8\xc9\x08" + bytes(9000)
    return open(os.path.join(MEDIA, name), "rb").read()


def plain_profile():
    """Without packages: each file with its signature beside it."""
    path = os.path.join(WORK, "media", "plain.yaml")
    with open(path, "w", encoding="utf-8") as out:
        out.write("name: plain\nextends: pdfa-only\nstages: [ingest, convert, sign, augment, validate]\nsign:\n  digest: sha512\n"
                  "convert:\n  checks: {low-bit-rate: quarantine}\n"
                  "  media: {sound: [mp3, wma], video: [mp4, avi, wmv], sound-kbps: 128, video-kbps: 1500}\n")
    return path


def arkseal(*words, expect=0):
    done = subprocess.run([ARKSEAL, *words], env=token_environment(), capture_output=True, text=True)
    if done.returncode != expect:
        sys.exit(f"exit {done.returncode}, not {expect}: {words}\n{done.stdout}{done.stderr}")
    return done.stdout


def anchors():
    """The authorities that the site trusts."""
    return sorted(glob.glob(os.path.join(PKI, "*root*.pem")))


def by_openssl(file):
    both = os.path.join(WORK, "media", "roots.pem")
    with open(both, "w", encoding="ascii") as out:
        for anchor in anchors():
            out.write(open(anchor, encoding="ascii").read())
    return ask("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", file + ".p7s", "-content", file, "-CAfile", both,
               "-purpose", "any", "-out", os.devnull)


def judge_files(faults, files, level):
    status, lines, said = ask(os.path.join(JUDGES, "dss"), *(w for a in anchors() for w in ("--trust", a)), "--detached", "--level", level, *files)
    passed = {l.split("\t")[2] for l in lines if l.startswith("PASS\tCAdES-BASELINE-" + level)}
    faults.check(status == 0 and passed == set(files), f"EU DSS: {lines} {said}")
    for file in files:
        status, _, said = by_openssl(file)
        faults.check(status == 0, f"openssl cms -verify {file}: {said}")


def validated(*paths, expect):
    out = arkseal("validate", "--site", os.path.join(PKI, "site.yaml"), "--format", "json", *paths, expect=expect)
    return [json.loads(line) for line in out.splitlines()]


def judge_package(faults, archive):
    """The good dossier's package."""
    folders = packages(archive)
    faults.check(len(folders) == 1, f"one package, not {folders}")
    rep = os.path.join(folders[0], "representations", "rep1")
    data = os.path.join(rep, "data")
    files = [os.path.join(data, f"Q01.01.001.{i + 1:07}{os.path.splitext(name)[1]}") for i, name in enumerate(GOOD)]
    for name, file in zip(GOOD, files):
        if not faults.check(os.path.exists(file) and os.path.exists(file + ".p7s"), f"{name}: {os.listdir(data)}"):
            return None, []
        faults.check(hashlib.sha256(open(file, "rb").read()).digest() == hashlib.sha256(content(name)).digest(), f"{name} is another")
    descriptions = sorted(os.listdir(os.path.join(rep, "metadata", "descriptive")))
    faults.check([n.split("_")[1] for n in descriptions] == ["media"] * 5 + ["pic"] * 3, f"descriptions: {descriptions}")
    for name in descriptions:
        schema = os.path.join(folders[0], "schemas", "EAD_" + name.split("_")[1] + ".xsd")
        status, _, said = ask("xmllint", "--noout", "--schema", schema, os.path.join(rep, "metadata", "descriptive", name))
        faults.check(status == 0, said)
    for schema, file in (("mets", "METS.xml"), ("premis", "metadata/preservation/PREMIS_rep1.xml")):
        status, lines, said = ask(os.path.join(JUDGES, "xsd"), schema, os.path.join(rep, file))
        faults.check(status == 0, f"{schema}: {lines} {said}")
    premis = open(os.path.join(rep, "metadata/preservation/PREMIS_rep1.xml"), encoding="utf-8").read()
    faults.check(premis.count("<signatureInformation>") == len(GOOD), "PREMIS tells of each signature")
    reports = validated(folders[0], expect=0)
    faults.check(sum(r["kind"] == "file" and r["signatures"][0]["format"] == "CAdES-BASELINE-LT" for r in reports) == len(GOOD), f"{reports}")
    return folders[0], files


def judge_changes(faults, package):
    """A byte of a file, or of its signature, is another: found."""
    for what in ("Q01.01.001.0000001.jpg", "Q01.01.001.0000004.mp3.p7s"):
        copy = os.path.join(WORK, "media", "changed", os.path.basename(package))
        shutil.rmtree(os.path.dirname(copy), ignore_errors=True)
        shutil.copytree(package, copy)
        shutil.copy(package + ".METS.p7s", copy + ".METS.p7s")
        path = os.path.join(copy, "representations", "rep1", "data", what)
        held = bytearray(open(path, "rb").read())
        held[len(held) // 2] ^= 1
        open(path, "wb").write(held)
        verdicts = {r["kind"]: r["verdict"] for r in validated(copy, expect=1) if r["verdict"] != "valid"}
        faults.check(verdicts.get("package") == "invalid" and ("file" in verdicts or what.endswith(".p7s")), f"{what}: {verdicts}")


def judge_bad(faults, archive):
    notices = "".join(open(n, encoding="utf-8").read() for n in glob.glob(os.path.join(archive, "quarantine", "*.json")))
    told = {os.path.basename(json.loads(line)["sources"][0]["path"]): json.loads(line)["notice"]["code"] for line in notices.splitlines() if line}
    for name, code in BAD.items():
        faults.check(told.get(name, "").startswith(code), f"{name}: {told.get(name)}, not {code}")


def main():
    faults = Faults()
    backlog, out = os.path.join(WORK, "media", "backlog"), os.path.join(WORK, "media", "archive")
    shutil.rmtree(os.path.join(WORK, "media"), ignore_errors=True)
    os.makedirs(backlog)
    material(backlog)
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
    run(TESTPKI, "start", PKI)
    site = ["--site", os.path.join(PKI, "site.yaml"), "--set", "ingest.settle-seconds=0"]
    try:
        arkseal("run", backlog, "--profile", "vn-digitised", "--out", out, *site, "--set", "convert.photos=keep", expect=1)
        plain = os.path.join(WORK, "media", "plain")
        arkseal("run", MEDIA, "--profile", plain_profile(), "--out", plain, *site, expect=1)
    finally:
        run(TESTPKI, "stop", PKI)
    package, files = judge_package(faults, out)
    judge_bad(faults, out)
    if package is not None:
        judge_files(faults, files, "LT")
        judge_changes(faults, package)
    kept = [os.path.join(plain, n) for n in GOOD if n in os.listdir(MEDIA)]
    judge_files(faults, kept, "LT")
    reports = validated(plain, expect=0)
    faults.check({r["path"] for r in reports} == set(kept), f"{reports}")
    faults.end()


if __name__ == "__main__":
    main()
