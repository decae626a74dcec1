"""The files that arkseal and its peers get: made pages in a backlog as an archive has it, the same bytes every time."""
import concurrent.futures
import hashlib
import os
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "fixtures", "make"))
import pages as drawn
import sheets

DOCUMENT_PAGES, DOSSIER_DOCUMENTS = 2, 5
FIRST_SEED = 5000


class Document:
    """`code`, `dossier`, `folder` (of its pictures), `pictures`, `truth` (a file with the words of all its pages)."""

    def __init__(self, root, number, pages):
        dossier = number // DOSSIER_DOCUMENTS + 1
        self.dossier = f"T01.01.{dossier:03}"
        self.code = f"{self.dossier}.{number % DOSSIER_DOCUMENTS + 1:07}"
        self.folder = os.path.join(root, "backlog", "T01", "hop-01", f"ho-so-{dossier:03}", self.code)
        self.pictures = [os.path.join(self.folder, f"trang-{n + 1:02}.jpg") for n in range(pages)]
        self.truth = os.path.join(root, "truth", self.code + ".txt")
        self.seed = FIRST_SEED + number * DOCUMENT_PAGES

    def make(self):
        if os.path.exists(self.truth):
            return
        os.makedirs(self.folder, exist_ok=True)
        text = ""
        for n, picture in enumerate(self.pictures):
            page = drawn.Page(self.seed + n).letter(self.seed + n, first=n == 0, sentences=9 if n == 0 else 12).scanned()
            page.image.save(picture, quality=75, dpi=(200, 200))
            text += page.text()
        os.makedirs(os.path.dirname(self.truth), exist_ok=True)
        with open(self.truth, "w", encoding="utf-8") as out:
            out.write(text)


def generator():
    """Tells one state of the programs that make the pages from another."""
    digest = hashlib.sha256()
    for path in (drawn.__file__, sheets.__file__, __file__):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:8]


def make(folder, pages):
    """The documents of that many pages, made where they are missing, with the spreadsheet of their fonds; and the backlog's folder."""
    root = os.path.join(folder, f"pages-{pages}-{generator()}")
    documents = [Document(root, at // DOCUMENT_PAGES, min(DOCUMENT_PAGES, pages - at)) for at in range(0, pages, DOCUMENT_PAGES)]
    with concurrent.futures.ProcessPoolExecutor() as pool:
        list(pool.map(Document.make, documents))
    rows = []
    for code in sorted({d.dossier for d in documents}):
        rows += sheets.dossier(code, f"Hồ sơ đo tốc độ {code}", [
            sheets.document(f"Văn bản đo tốc độ {d.code}", len(d.pictures), process="Quét từ bản giấy")
            for d in documents if d.dossier == code])
    sheets.write_csv(os.path.join(root, "backlog", "T01", "metadata.csv"), rows)
    return documents, os.path.join(root, "backlog")
