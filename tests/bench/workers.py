#!/usr/bin/python3
"""Two workers beside one, on convert with OCR:  workers.py ARKSEAL [DOCUMENTS [PAGES]]

A backlog of one-page documents, and one document of many pages, each with --jobs 1 and --jobs 2 in turn; wall time of the whole run and the ratio,
and whether the results are the same bytes.
"""
import hashlib
import os
import struct
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(SOURCE, "fixtures", "backlog", "G09", "hop-01", "ho-so-01")
PAGE = os.path.join(FIXTURES, "G09.01.001.0000001", "trang-01.jpg")
LETTER = os.path.join(FIXTURES, "G09.01.001.0000002.tif")
SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}


def one_page_documents(folder, documents):
    """The same page; a comment makes each another file."""
    with open(PAGE, "rb") as file:
        page = file.read()
    for n in range(documents):
        note = f"document {n}".encode()
        os.mkdir(os.path.join(folder, f"{n:04}"))
        with open(os.path.join(folder, f"{n:04}", "page.jpg"), "wb") as out:
            out.write(page[:2] + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + page[2:])


def long_document(folder, pages):
    """The first page of a TIFF file, again and again, each with its own strips."""
    with open(LETTER, "rb") as file:
        tiff = file.read()
    order = "<" if tiff[:2] == b"II" else ">"
    at = struct.unpack_from(order + "I", tiff, 4)[0]
    entries = [struct.unpack_from(order + "HHII", tiff, at + 2 + 12 * n) for n in range(struct.unpack_from(order + "H", tiff, at)[0])]
    raw = {e[0]: tiff[at + 2 + 12 * n:at + 14 + 12 * n] for n, e in enumerate(entries)}

    def values(tag):
        _, kind, count, where = next(e for e in entries if e[0] == tag)
        code = {3: "H", 4: "I"}[kind]
        whole = raw[tag][8:8 + count * SIZE[kind]] if count * SIZE[kind] <= 4 else tiff[where:where + count * SIZE[kind]]
        return struct.unpack(f"{order}{count}{code}", whole)

    strips = [tiff[a:a + n] for a, n in zip(values(273), values(279))]
    out, link = bytearray(tiff[:4] + b"\0\0\0\0"), 4
    for _ in range(pages):
        places = []
        for strip in strips:
            places.append(len(out))
            out += strip + b"\0" * (len(strip) % 2)
        made = []
        for tag, kind, count, where in entries:
            n = count * SIZE.get(kind, 1)
            if tag == 273:
                kind, whole = 4, struct.pack(f"{order}{count}I", *places)
                n = len(whole)
            else:
                whole = raw[tag][8:8 + n] if n <= 4 else tiff[where:where + n]
            if n > 4:
                value = struct.pack(order + "I", len(out))
                out += whole + b"\0" * (n % 2)
            else:
                value = whole.ljust(4, b"\0")
            made.append(struct.pack(order + "HHI", tag, kind, count) + value)
        struct.pack_into(order + "I", out, link, len(out))
        out += struct.pack(order + "H", len(made)) + b"".join(made)
        link = len(out)
        out += b"\0\0\0\0"
    with open(os.path.join(folder, "long.tif"), "wb") as file:
        file.write(out)


def run(tool, folder, out, jobs):
    began = time.monotonic()
    done = subprocess.run([tool, "run", folder, "--profile", "pdfa-only", "--out", out, "--jobs", str(jobs),
                           "--set", "ingest.settle-seconds=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"exit {done.returncode}: {done.stderr[-2000:]}")
    return time.monotonic() - began


def results(out):
    found = {}
    for name in sorted(os.listdir(out)):
        if name.endswith(".pdf"):
            with open(os.path.join(out, name), "rb") as file:
                found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def main():
    tool = os.path.abspath(sys.argv[1])
    documents, pages = (int(n) for n in (sys.argv[2:] + ["60", "200"][len(sys.argv) - 2:])[:2])
    for what, make, n in (("documents of one page", one_page_documents, documents), ("pages of one document", long_document, pages)):
        with tempfile.TemporaryDirectory(prefix="arkseal_workers_") as here:
            folder = os.path.join(here, "in")
            os.mkdir(folder)
            make(folder, n)
            walls = [run(tool, folder, os.path.join(here, f"out{jobs}"), jobs) for jobs in (1, 2)]
            same = results(os.path.join(here, "out1")) == results(os.path.join(here, "out2"))
            print(f"{n} {what}: one worker {walls[0]:.1f} s, two {walls[1]:.1f} s, ratio {walls[0] / walls[1]:.2f}, "
                  f"results {'the same' if same else 'differ'}", flush=True)


if __name__ == "__main__":
    main()
