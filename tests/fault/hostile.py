#!/usr/bin/python3
"""A worker that turns hostile can do nothing, and the key holder's memory goes nowhere:  hostile.py HOSTILE_ARKSEAL

Each attempt is first made outside of the sandbox, where it must work (or be refused by another errno than the sandbox's), then all by the
convert of a run. As root all is done once more as an ordinary user, where that one may reach the program."""
import errno
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from archive import ARKSEAL, SOURCE, Archive, Backlog, Pki, fail, family
from disk import wait_for_pause

NOBODY = 65534
SECRET = {"ARKSEAL_SECRET": "tbmt-1975", "GNUTLS_PIN": "tbmt-1975"}
# Attempts that other guards of the machine may forbid outside too (Yama, files without attributes, no message queues, no IPv6, no root).
ELSEWHERE = {"open the supervisor's memory", "trace the supervisor", "copy the supervisor's memory", "set an attribute of its input",
             "a message queue", "socket: IPv6", "powers of root"}
LARGE = 3  # MiB that a file may have
tool = sys.argv[1]


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Scene:
    """An office: a backlog and its archive with something published, another fonds, a PIN, a place that is none of its business."""

    def __init__(self, here):
        self.here = here
        for name in ("in", "out/.arkseal/work", "other/T02", "etc", "outside"):
            os.makedirs(self.path(name))
        write(self.path("in/1-hostile"), "")
        write(self.path("in/2-good"), "document")
        write(self.path("other/T02/document"), "of another fonds")
        write(self.path("etc/pin"), "123456", 0o600)
        write(self.path("etc/site.yaml"), f'organisation: Test\nkey: "pkcs11:token=x?pin-source=file:{self.path("etc/pin")}"\njobs: 2\n')
        write(self.path("etc/test.yaml"), f"name: test\nstages: [ingest, convert]\nlimits:\n  item-seconds: 60\n  file-mib: {LARGE}\n")
        aims = {"input": "in/1-hostile", "pin": "etc/pin", "site": "etc/site.yaml", "fonds": "other/T02",
                "fonds-file": "other/T02/document", "published": "out/published.pdf", "ledger": "out/.arkseal/ledger.sqlite",
                "lock": "out/.arkseal/lock", "outside": "outside"}
        write(self.path("in/1-hostile"), "".join(f"{name}={self.path(aim)}\n" for name, aim in aims.items()))

    def path(self, name):
        return os.path.join(self.here, name)

    def run(self, *more):
        return subprocess.run([tool, "run", self.path("in"), "--profile", self.path("etc/test.yaml"), "--out", self.path("out"),
                               "--site", self.path("etc/site.yaml"), "--set", "ingest.settle-seconds=0", *more],
                              capture_output=True, text=True, env=dict(os.environ, **SECRET), stdin=subprocess.DEVNULL, check=False)

    def state(self):
        """Everything outside of the archive, to see that it stays as it is."""
        found = {}
        for top in ("in", "other", "etc", "outside"):
            for folder, _, names in os.walk(self.path(top)):
                for path in [folder, *(os.path.join(folder, name) for name in names)]:
                    info = os.lstat(path)
                    content = open(path, "rb").read() if os.path.isfile(path) else None
                    found[path] = (info.st_mode, info.st_uid, info.st_nlink, info.st_mtime_ns, tuple(os.listxattr(path)), content)
        return found


def attempt_outside(name):
    """What comes of an attempt outside of the sandbox."""
    with tempfile.TemporaryDirectory(prefix="arkseal_outside_") as here:
        scene = Scene(here)
        for file in ("out/published.pdf", "out/.arkseal/ledger.sqlite", "out/.arkseal/lock"):
            write(scene.path(file), "something")
        with open(scene.path("etc/pin"), encoding="utf-8") as inherited:
            done = subprocess.run([tool, "attempt", scene.path("in/1-hostile"), scene.path("out/.arkseal/work"), name],
                                  capture_output=True, text=True, env=dict(os.environ, **SECRET), pass_fds=[inherited.fileno()],
                                  stdin=subprocess.DEVNULL, check=False)
        fields = done.stdout.rstrip("\n").split("\t")
        if done.returncode != 0 or len(fields) != 3:
            fail(f"{name}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return int(fields[2])


def word(number):
    return "works" if number == 0 else errno.errorcode.get(number, str(number))


def judge(name, kind, inside, outside):
    """None, or what is wrong."""
    if kind == "enabled":
        return None if inside == outside == 0 else "must work"
    if inside == 0:
        return "works in the sandbox"
    if outside == 0:
        return None
    if kind == "refused":
        return None if inside == errno.EACCES != outside else "not refused by the sandbox"
    return None if name in ELSEWHERE else "does not work outside of the sandbox: that shows nothing"


def check_worker(here):
    scene = Scene(here)
    os.rename(scene.path("in/1-hostile"), scene.path("1-hostile"))
    done = scene.run()
    if done.returncode != 0:
        fail(f"first run: exit {done.returncode}: {done.stderr}")
    if "Landlock" in done.stderr or "seccomp" in done.stderr:
        print(f"NOTE: THIS KERNEL LACKS PART OF THE SANDBOX, the attempts are not judged:\n{done.stderr}")
        return
    # Something that was published before, and a new archive.
    os.rename(scene.path("out/2-good.pdf"), scene.path("out/published.pdf"))
    shutil.rmtree(scene.path("out/.arkseal"))
    os.rename(scene.path("1-hostile"), scene.path("in/1-hostile"))

    before = scene.state()
    done = scene.run()
    if done.returncode != 0:
        fail(f"exit {done.returncode}: {done.stderr}")
    changed = {path for path, _ in set(scene.state().items()) ^ set(before.items())}
    if sorted(os.listdir(scene.path("out"))) != [".arkseal", "1-hostile.pdf", "2-good.pdf", "published.pdf"]:
        fail(f"archive: {os.listdir(scene.path('out'))}")
    if os.listdir(scene.path("out/.arkseal/work")):
        fail(f"left: {os.listdir(scene.path('out/.arkseal/work'))}")
    with open(scene.path("out/1-hostile.pdf"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    names = subprocess.run([tool, "rows"], capture_output=True, text=True, check=True).stdout.splitlines()
    if [row[0] for row in rows] != names:
        fail(f"not all were tried: {len(rows)} of {len(names)}")
    wrong = 0
    for name, kind, number in rows:
        inside, outside = int(number), attempt_outside(name)
        why = judge(name, kind, inside, outside)
        wrong += why is not None
        print(f"  {name}: {word(inside)}, outside {word(outside)}{'   <-- ' + why if why else ''}")
    if wrong or changed:
        fail(f"{wrong} of {len(rows)} attempts; changed: {changed}")
    print(f"{len(rows)} attempts", flush=True)


def check_large(here):
    """A result that is larger than a file may be costs its document, not the run."""
    scene = Scene(here)
    write(scene.path("in/1-hostile"), f"large {LARGE + 1}")
    done = scene.run("--log", "json")
    if done.returncode != 1 or '"file-limit"' not in done.stderr:
        fail(f"large: exit {done.returncode}: {done.stderr}")
    if not os.path.exists(scene.path("out/2-good.pdf")) or os.path.exists(scene.path("out/1-hostile.pdf")):
        fail(f"large: {os.listdir(scene.path('out'))}")


def check_key_holder(here):
    """While a run waits for an authority: no core dumps, memory locked, closed to others of the same user."""
    keys = glob.glob(os.path.join(SOURCE, "fixtures", "pki", "*.key"))
    if not all(os.access(key, os.R_OK) for key in keys):
        print("NOTE: THIS USER CANNOT READ THE TEST PKI: the key holder is not tried")
        return
    os.environ["XDG_STATE_HOME"] = here
    with Pki(os.path.join(here, "pki")) as pki:
        backlog = Backlog(os.path.join(here, "in"))
        backlog.grow(1)
        archive = Archive(pki, backlog, os.path.join(here, "out"))
        pki.set("reset", "tsa=down", "tsa2=down")
        process = archive.start()
        try:
            wait_for_pause(archive, process)
            holders = [pid for pid, name in family(process.pid).items() if name.startswith("key")]
            if len(holders) != 1:
                fail(f"key holders: {family(process.pid)}")
            proc = f"/proc/{holders[0]}"
            with open(f"{proc}/limits", encoding="utf-8") as file:
                core = next(line.split()[4:6] for line in file if line.startswith("Max core file size"))
            with open(f"{proc}/status", encoding="utf-8") as file:
                locked = next(int(line.split()[1]) for line in file if line.startswith("VmLck"))
            owner = os.stat(f"{proc}/environ").st_uid
            print(f"key holder: core {core}, {locked} kB locked, /proc of user {owner}")
            if core != ["0", "0"]:
                fail(f"core limit {core}")
            with open(ARKSEAL, "rb") as file:
                locks = b"__asan_init" not in file.read()  # ASan's mlock does nothing
            if locks and locked == 0:
                fail("no memory is locked")
            # As root its files are root's in any case.
            if os.getuid() != 0:
                open(f"/proc/{process.pid}/environ", "rb").close()
                if owner != 0 or os.access(f"{proc}/environ", os.R_OK):
                    fail("others may look into the key holder")
        finally:
            pki.set("reset")
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=60)


def as_nobody(*words):
    home = dict(os.environ, HOME="/nonexistent")
    return subprocess.run(words, user=NOBODY, group=NOBODY, extra_groups=[], env=home, check=False).returncode


def main():
    for check in (check_worker, check_large, check_key_holder):
        with tempfile.TemporaryDirectory(prefix="arkseal_hostile_") as here:
            check(here)
    if os.getuid() != 0:
        return
    if any(as_nobody("test", "-r", path) != 0 for path in (tool, ARKSEAL, __file__)):
        print("NOTE: AN ORDINARY USER DOES NOT REACH THE PROGRAM: not tried as one")
        return
    print("once more as an ordinary user", flush=True)
    if as_nobody(sys.executable, __file__, tool) != 0:
        fail("as an ordinary user")


if __name__ == "__main__":
    main()
