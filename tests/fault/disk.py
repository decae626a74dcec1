"""A disk that fills up: the run waits, says so, goes on by itself when there is room again, or stops after the profile's limit."""
import os
import subprocess
import sys
import tempfile
import time

from archive import Archive, Backlog, Pki, fail

DOSSIERS = 4
SIZE, LEFT = 48 << 20, 512 << 10


def fill(path, left):
    """Takes the room but for so many bytes."""
    room = os.statvfs(os.path.dirname(path))
    with open(path, "wb") as out:
        for _ in range((room.f_bavail * room.f_frsize - left) >> 16):
            out.write(bytes(1 << 16))


def wait_for_pause(archive, process):
    for _ in range(1200):
        if any(e["event"] == "paused" for e in archive.events()):
            return
        if process.poll() is not None:
            fail(f"ended before it waited: exit {process.returncode}: {archive.said()[-2000:]}")
        time.sleep(0.05)
    process.kill()
    fail(f"no pause: {archive.said()[-2000:]}")


def expect(archive, process, code):
    found = process.wait(timeout=120)
    if found != code:
        fail(f"exit {found}, not {code}: {archive.said()[-3000:]}")
    aside = [e for e in archive.events() if e["event"] in ("quarantined", "refused")]
    if aside:
        fail(f"set aside: {aside[:3]}")


def scenes(disk, pki, backlog):
    filler, archive = os.path.join(disk, "filler"), Archive(pki, backlog, os.path.join(disk, "out"))
    for left in (LEFT, LEFT * 2, LEFT * 4):
        archive.remove()
        fill(filler, left)
        process = archive.start()
        wait_for_pause(archive, process)
        time.sleep(1.5)
        os.remove(filler)
        expect(archive, process, 0)
        archive.check()
    archive.remove()
    fill(filler, LEFT)
    expect(archive, archive.start("--set", "limits.pause-limit-s=2"), 3)
    os.remove(filler)
    expect(archive, archive.start(), 0)
    archive.check()


def main():
    if len(sys.argv) == 1:
        words = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        able = subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
        if able.returncode != 0:
            print(f"NOT RUN: no file system can be mounted here: {able.stderr.decode().strip()}")
            return
        sys.exit(subprocess.run([*words, sys.executable, "-B", __file__, "mounted"], check=False).returncode)
    with tempfile.TemporaryDirectory(prefix="arkseal_disk_") as here, Pki(os.path.join(here, "pki")) as pki:
        disk = os.path.join(here, "disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", disk], check=True)
        try:
            backlog = Backlog(os.path.join(here, "in"))
            backlog.grow(DOSSIERS)
            scenes(disk, pki, backlog)
        finally:
            subprocess.run(["umount", "--lazy", disk], check=False)


if __name__ == "__main__":
    main()
