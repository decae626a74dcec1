"""Runs one after the other over a backlog that grows: each does only what is new, and nothing grows but the archive.

ARKSEAL_NIGHTS: how many runs.
"""
import os
import tempfile
import time

from archive import EACH, Archive, Backlog, Pki, fail


def sample(pid, seen):
    """The supervisor's descriptors and highest memory so far (KiB)."""
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            memory = [int(line.split()[1]) for line in file if line.startswith("VmHWM")]
    except (FileNotFoundError, ProcessLookupError):
        return seen
    return max(seen[0], descriptors), max([seen[1], *memory])


# What the sanitizer keeps of freed memory, and its look for leaks when the process ends (12 MiB, seen by a sample or not), are
# not the supervisor's memory.
os.environ["ASAN_OPTIONS"] = ":".join(
    [*os.environ.get("ASAN_OPTIONS", "").split(), "quarantine_size_mb=0", "thread_local_quarantine_size_kb=0", "detect_leaks=0"])


def night(archive):
    process = archive.start()
    seen = (0, 0)
    while process.poll() is None:
        seen = sample(process.pid, seen)
        time.sleep(0.01)
    if process.returncode != 0:
        fail(f"exit {process.returncode}: {archive.said()[-3000:]}")
    return seen


def names(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, files in os.walk(folder) for name in files)


def main():
    nights = int(os.environ.get("ARKSEAL_NIGHTS", "6"))
    with tempfile.TemporaryDirectory(prefix="arkseal_nights_") as here, Pki(os.path.join(here, "pki")) as pki:
        backlog = Backlog(os.path.join(here, "in"))
        archive = Archive(pki, backlog, os.path.join(here, "out"))
        seen, own = [], None
        for n in range(nights):
            backlog.grow(1)
            before = pki.stamps()
            seen.append(night(archive))
            # Two a document, one for the seal, and one thrown away by each worker that chose its authority.
            stamps, least = pki.stamps() - before, 2 * EACH + 1
            if not least <= stamps <= least + 4:
                fail(f"night {n}: {stamps} stamps for {least} signatures")
            done = {e["id"] for e in archive.events() if e["event"] == "stage" and e["stage"] == "convert"}
            if done != set(backlog.codes[-EACH:]):
                fail(f"night {n}: converted {sorted(done)}")
            own = own or names(f"{archive.out}/.arkseal")
            if names(f"{archive.out}/.arkseal") != own:
                fail(f"night {n}: {names(f'{archive.out}/.arkseal')}, in the first night {own}")
        before = pki.stamps()
        night(archive)
        if pki.stamps() != before:
            fail("a night without anything new asked for a stamp")
        archive.check()
        half = nights // 2
        # SQLite keeps what it has read of the ledger, 16 MiB at most.
        ledger = min(os.path.getsize(f"{archive.out}/.arkseal/ledger.sqlite") // 1024, 16384)
        for what, at, slack in (("descriptors", 0, 2), ("KiB of memory", 1, 1024 + ledger)):
            early, late = max(s[at] for s in seen[:half]), max(s[at] for s in seen[half:])
            print(f"{what}: {early}, then {late}")
            if late > early + slack:
                fail(f"{what}: {early} in the first half of the nights, {late} in the second")
        print(f"{nights} nights, {len(backlog.codes)} documents")


if __name__ == "__main__":
    main()
