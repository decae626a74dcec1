"""Runs that are told to stop, whatever they wait for; closed terminals; and what hangs instead of failing: authorities, the key holder,
a backlog or an archive that is suddenly not there. Nothing of it may cost a document, and the same command goes on.

argv[1]: arkseal with the stages of null_stages.c. ARKSEAL_SCENES: names of scenes, parted by spaces; others are left out.
"""
import concurrent.futures
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

from archive import BUILD, Archive, Backlog, Pki, fail, family
from disk import expect, wait_for_pause

DOSSIERS = 2
with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
    SANITIZED = "ARKSEAL_SANITIZE:BOOL=ON" in cache.read()
MOUNTS = "mounted" in sys.argv
STOP_S = 20 if SANITIZED else 10
AT_ONCE_S = 6 if SANITIZED else 3


class Gate:
    """Stands before the test authorities as the proxy of a site file: passes requests on, or keeps some waiting."""

    def __init__(self, port):
        self.port = port
        self.silent = self.drip = ()  # services that get no answer; that get one a byte each second
        self.held = 0  # requests that have met one of these
        self.server = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        with client:
            try:
                self.answer(client)
            except OSError:
                pass  # the other end has gone

    def answer(self, client):
        head, _, body = b"", b"", b""
        while b"\r\n\r\n" not in head:
            more = client.recv(65536)
            if not more:
                return
            head += more
        head, body = head.split(b"\r\n\r\n", 1)
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            body += client.recv(65536)
        service = head.split(b" ")[1].decode().split("?")[0].split("/")[3]
        if service in self.silent:
            self.held += 1
            while service in self.silent:
                time.sleep(0.1)
            return
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            answer = b"".join(iter(lambda: server.recv(65536), b""))
        if service in self.drip:
            self.held += 1
        for at in range(len(answer)):
            if service not in self.drip:
                client.sendall(answer[at:])
                return
            client.sendall(answer[at:at + 1])
            time.sleep(1)


class Behind:
    """What an archive needs of the test PKI, reached through a gate of its own."""

    def __init__(self, pki, folder):
        self.pki, self.folder, self.more = pki, folder, {}
        os.makedirs(folder)
        with open(os.path.join(pki.folder, "port"), encoding="utf-8") as file:
            port = int(file.read())
        self.gate = Gate(port)
        for name in ("root.pem", "issuing.pem"):
            shutil.copy(os.path.join(pki.folder, name), folder)
        with open(os.path.join(pki.folder, "site.yaml"), encoding="utf-8") as file:
            site = file.read().replace(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{self.gate.own_port}")
        with open(os.path.join(folder, "site.yaml"), "w", encoding="utf-8") as file:
            file.write(site)

    def environment(self):
        return {**self.pki.environment(), **self.more}


class Real(Archive):
    """The whole of arkseal on a small backlog."""

    def __init__(self, place, pki, dossiers=DOSSIERS):
        backlog = Backlog(os.path.join(place, "in"))
        backlog.grow(dossiers)
        super().__init__(Behind(pki, os.path.join(place, "pki")), backlog, os.path.join(place, "out"))
        self.gate = self.pki.gate

    def done(self, stage):
        return sum(e["event"] == "stage" and e["stage"] == stage for e in self.events())

    def ended_well(self):
        self.check()
        if self.discarded():
            fail(f"uses of the key were discarded: {self.discarded()}")


class Null:
    """The engine alone; documents say what becomes of them (null_stages.c)."""

    def __init__(self, place, *, seconds=600, cpu=600, retries=1, pause=60):
        self.folder, self.out = place, os.path.join(place, "out")
        os.makedirs(os.path.join(place, "in"))
        with open(os.path.join(place, "site.yaml"), "w", encoding="utf-8") as file:
            file.write('organisation: Test\nkey: "pkcs11:token=x"\njobs: 2\n')
        with open(os.path.join(place, "test.yaml"), "w", encoding="utf-8") as file:
            file.write("name: test\nstages: [ingest, convert, sign, bundle, validate]\nlimits:\n"
                       f"  item-seconds: {seconds}\n  item-cpu-seconds: {cpu}\n  retries: {retries}\n"
                       f"  item-memory-mib: 512\n  pause-limit-s: {pause}\n")

    def put(self, **documents):
        for name, text in documents.items():
            with open(os.path.join(self.folder, "in", name.replace("_", "-")), "w", encoding="utf-8") as file:
                file.write(text + "\n")

    def start(self, **how):
        words = [sys.argv[1], "run", os.path.join(self.folder, "in"), "--profile", os.path.join(self.folder, "test.yaml"), "--out",
                 self.out, "--site", os.path.join(self.folder, "site.yaml")]
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        return subprocess.Popen(**{"args": words + ["--log", "json"], "stdin": subprocess.DEVNULL, "stdout": self.log,
                                   "stderr": self.log, "start_new_session": True, **how})

    said, events = Archive.said, Archive.events

    def run(self, expect):
        code = self.start().wait(timeout=120)
        if code != expect:
            fail(f"exit {code}, not {expect}: {self.said()[-3000:]}")

    def aside(self):
        folder = os.path.join(self.out, "quarantine")
        found = {}
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name.endswith(".json"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found[name.removesuffix(".json")] = json.load(file)["notice"]["code"]
        return found

    def packages(self):
        return sorted(name for name in os.listdir(self.out) if name.startswith("AIP_") and not name.endswith(".seal"))


def wait_until(archive, process, what, condition):
    for _ in range(1200):
        if condition():
            return
        if process.poll() is not None:
            fail(f"ended before {what}: exit {process.returncode}: {archive.said()[-2000:]}")
        time.sleep(0.05)
    process.kill()
    fail(f"never: {what}: {archive.said()[-2000:]}")


def left_of(session):
    """Who is left of a run's session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            rest = text[text.rindex(")") + 2:].split()
            if int(rest[3]) == session and rest[0] != "Z":
                found.append(text[:text.rindex(")") + 1])
    return found


def stop(archive, process, *signals, within=STOP_S):
    """Stops a run; the seconds that it takes."""
    began = time.monotonic()
    for number in signals or (signal.SIGTERM,):
        process.send_signal(number)
        time.sleep(0.3)
    try:
        code = process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        fail(f"not stopped after a minute: {archive.said()[-2000:]}")
    seconds = time.monotonic() - began
    if code != 3:
        fail(f"stopped with exit {code}: {archive.said()[-3000:]}")
    if seconds > within:
        fail(f"stopped after {seconds:.1f} s, not within {within}: {archive.said()[-2000:]}")
    if left_of(process.pid):
        fail(f"left of the run: {left_of(process.pid)}")
    if any(e["event"] in ("quarantined", "refused") for e in archive.events()):
        fail(f"set aside: {archive.said()[-3000:]}")
    return f"stopped after {seconds:.1f} s"


def freeze(archive, process, *names):
    """Stops the run's children of these names, or all."""
    wait_until(archive, process, f"there is {names}", lambda: not names or set(names) & set(family(process.pid).values()))
    frozen = [pid for pid, name in family(process.pid).items() if not names or name in names]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    return frozen


# Told to stop

def under_load(place, pki):
    archive = Real(place, pki, 4)
    process = archive.start()
    wait_until(archive, process, "two are converted", lambda: archive.done("convert") > 1)
    said = stop(archive, process, signal.SIGINT)
    process = archive.start()
    wait_until(archive, process, "four are converted", lambda: archive.done("convert") > 3)
    said += ", " + stop(archive, process)
    expect(archive, archive.start(), 0)
    archive.ended_well()
    return said


def authority(place, pki, how, *signals, within=STOP_S):
    archive = Real(place, pki)
    setattr(archive.gate, how, ("tsa", "tsa2"))
    process = archive.start()
    wait_until(archive, process, "a stamp is asked for", lambda: archive.gate.held > 0)
    said = stop(archive, process, *signals, within=within)
    setattr(archive.gate, how, ())
    expect(archive, archive.start(), 0)
    archive.ended_well()
    return said


def silent_authority(place, pki):
    return authority(place, pki, "silent")


def slow_authority(place, pki):
    return authority(place, pki, "drip")


def told_twice(place, pki):
    return authority(place, pki, "silent", signal.SIGTERM, signal.SIGTERM, within=AT_ONCE_S)


def frozen_key(place, pki):
    archive = Real(place, pki, 6)
    process = archive.start()
    wait_until(archive, process, "one is signed", lambda: archive.done("sign") > 0)
    freeze(archive, process, "key hol")
    time.sleep(1)
    said = stop(archive, process)
    expect(archive, archive.start(), 0)
    archive.check()
    return said


def hung_token(place, pki):
    """A module that does not come back from its work costs the key holder, not the run."""
    archive = Real(place, pki)
    hung = os.path.join(place, "hung")
    site = os.path.join(archive.pki.folder, "site.yaml")
    with open(site, encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(pki.folder, "module"), encoding="utf-8") as file:
        module = file.read().strip()
    with open(site, "w", encoding="utf-8") as file:
        file.write(text.replace(f"module-path={module}", f"module-path={os.path.join(BUILD, 'tests', 'fault', 'hung_token.so')}"))
    archive.pki.more = {"HUNG_TOKEN": hung, "HUNG_TOKEN_MODULE": module}
    with open(hung, "w", encoding="utf-8"):
        pass
    process = archive.start("--set", "limits.item-seconds=10" if not SANITIZED else "limits.item-seconds=60")
    wait_until(archive, process, "the token hangs", lambda: os.path.getsize(hung) > 0)
    os.rename(hung, hung + ".over")
    expect(archive, process, 0)
    archive.check()
    if not archive.discarded():
        fail("the use of the key that hung is in no register")
    return "goes on"


def poisoned(place, _):
    archive = Null(place)
    archive.put(a_1="good", a_2="good", x_1="hang")
    process = archive.start()
    wait_until(archive, process, "the others are done", lambda: os.path.exists(f"{archive.out}/AIP_a"))
    said = stop(archive, process)
    archive.put(x_1="good")
    archive.run(0)
    return said


def frozen_workers(place, _):
    archive = Null(place)
    archive.put(x_1="hang", y_1="hang", w_1="wait")
    process = archive.start()
    wait_for_pause(archive, process)
    freeze(archive, process)
    said = stop(archive, process)
    archive.put(x_1="good", y_1="good", up="")
    archive.run(0)
    if archive.packages() != ["AIP_w", "AIP_x", "AIP_y"]:
        fail(f"packages: {archive.packages()}")
    return said


def in_a_pause(place, _):
    archive = Null(place)
    archive.put(w_1="wait", w_2="good")
    process = archive.start()
    wait_until(archive, process, "the third pause", lambda: sum(e["event"] == "paused" for e in archive.events()) > 2)
    said = stop(archive, process, within=AT_ONCE_S)
    archive.put(up="")
    archive.run(0)
    return said


def unread(place, _):
    """Nobody takes what it says."""
    archive = Null(place)
    archive.put(**{f"z_{n}": f"good {n}" for n in range(200)})
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = archive.start(stderr=writer)
    os.close(writer)
    time.sleep(3)
    if process.poll() is not None:
        fail(f"did not wait for its reader: exit {process.returncode}")
    said = stop(archive, process, within=AT_ONCE_S)
    if not os.read(reader, 65536).startswith(b'{"time":'):
        fail("said nothing")
    os.close(reader)
    archive.run(0)
    return said


def second_run(place, _):
    """A second run on the same archive says who holds it; one on another machine as well."""
    archive = Null(place)
    archive.put(w_1="wait")
    process = archive.start()
    wait_for_pause(archive, process)
    first = archive.log
    archive.run(3)
    said = archive.said()
    archive.log = first
    if f"{process.pid} ({socket.gethostname()})" not in said:
        fail(f"the holder is not told: {said}")
    stop(archive, process, within=AT_ONCE_S)
    with open(f"{archive.out}/.arkseal/lock", "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate()
        lock.write("1 elsewhere\n")
        lock.flush()
        archive.run(3)
        if "1 (elsewhere)" not in archive.said():
            fail(f"the other machine is not told: {archive.said()}")
    archive.put(up="")
    archive.run(0)
    return "told"


# Closed terminals

def hung_up(place, _):
    archive = Null(place)
    archive.put(w_1="wait", w_2="good")
    process = archive.start()
    wait_for_pause(archive, process)
    for pid in (process.pid, *family(process.pid)):
        os.kill(pid, signal.SIGHUP)
    time.sleep(1)
    if process.poll() is not None:
        fail(f"SIGHUP ended the run: exit {process.returncode}: {archive.said()}")
    archive.put(up="")
    expect(archive, process, 0)
    return "goes on"


def closed_terminal(place, _):
    archive = Null(place)
    archive.put(w_1="wait", w_2="good")
    master, slave = os.openpty()
    words = [sys.argv[1], "run", f"{place}/in", "--profile", f"{place}/test.yaml", "--out", archive.out, "--site", f"{place}/site.yaml"]
    process = archive.start(args=words, stdin=slave, stdout=slave, stderr=slave,
                            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    screen = b""
    while b"\r" not in screen and b"\n" not in screen:
        screen += os.read(master, 4096)
    time.sleep(0.5)
    os.close(master)
    time.sleep(1)
    if process.poll() is not None:
        fail(f"the closed terminal ended the run: exit {process.returncode}")
    archive.put(up="")
    expect(archive, process, 0)
    return "goes on"


# What hangs is not the document's fault

def waits(place, pki, *services):
    archive = Real(place, pki)
    archive.gate.silent = services
    process = archive.start("--set", "limits.item-seconds=3")
    wait_for_pause(archive, process)
    time.sleep(4)
    archive.gate.silent = ()
    expect(archive, process, 0)
    archive.ended_well()
    codes = sorted({e["code"] for e in archive.events() if e["event"] == "paused"})
    return f"waited: {', '.join(codes)}"


def patience_authority(place, pki):
    return waits(place, pki, "tsa", "tsa2")


def patience_revocation(place, pki):
    return waits(place, pki, "ocsp", "crl")


def patience_key(place, pki):
    archive = Real(place, pki, 6)
    process = archive.start("--set", "limits.item-seconds=3")
    wait_until(archive, process, "one is signed", lambda: archive.done("sign") > 0)
    frozen = freeze(archive, process, "key hol")
    wait_for_pause(archive, process)
    time.sleep(4)
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    expect(archive, process, 0)
    archive.check()
    codes = sorted({e["code"] for e in archive.events() if e["event"] == "paused"})
    return f"waited: {', '.join(codes)}"


def whose_wait(place, _):
    """A worker that waits in a stage of the key is no document's fault; one that computes is."""
    archive = Null(place, seconds=8, cpu=1, retries=0)
    archive.put(g_1="good", s_1="sleep", t_1="toil")
    process = archive.start()
    wait_for_pause(archive, process)
    archive.put(up="")
    code = process.wait(timeout=120)
    codes = {e["code"] for e in archive.events() if e["event"] == "paused"}
    if code != 1 or archive.aside() != {"t-1": "worker-cpu"} or archive.packages() != ["AIP_g", "AIP_s"] or codes != {"worker-wait"}:
        fail(f"exit {code}, {archive.aside()}, {archive.packages()}, {codes}: {archive.said()[-3000:]}")
    return "told apart"


# The backlog

def backlog_away(place, _):
    archive = Null(place, seconds=2, retries=1)
    archive.put(x_1="hang", y_1="hang", z_1="good", z_2="good")
    process = archive.start()
    time.sleep(1)
    os.rename(f"{place}/in", f"{place}/in.away")
    wait_for_pause(archive, process)
    time.sleep(2.5)
    os.rename(f"{place}/in.away", f"{place}/in")
    code = process.wait(timeout=120)
    if code != 1 or archive.aside() != {"x-1": "worker-time", "y-1": "worker-time"}:
        fail(f"exit {code}, {archive.aside()}: {archive.said()[-3000:]}")
    codes = {e["code"] for e in archive.events() if e["event"] in ("paused", "again")}
    if codes != {"backlog-away"}:
        fail(f"waited for {codes}")
    return "waited"


def backlog_gone(place, _):
    """It does not come back: exit 3, and the next run goes on."""
    archive = Null(place, seconds=2, retries=0, pause=3)
    archive.put(x_1="hang", y_1="hang", z_1="good", z_2="good")
    process = archive.start()
    time.sleep(1)
    os.rename(f"{place}/in", f"{place}/in.away")
    os.mkdir(f"{place}/in")  # an unmounted share leaves its empty place
    code = process.wait(timeout=120)
    if code != 3 or set(archive.aside().values()) - {"worker-time"}:
        fail(f"exit {code}, {archive.aside()}: {archive.said()[-3000:]}")
    os.rmdir(f"{place}/in")
    os.rename(f"{place}/in.away", f"{place}/in")
    archive.run(1)
    if set(archive.aside()) != {"x-1", "y-1"} or archive.packages() != ["AIP_z"]:
        fail(f"{archive.aside()}, {archive.packages()}")
    return "exit 3, then done"


def source_gone(place, _):
    """One file that somebody deleted is that document's fault."""
    archive = Null(place, seconds=2, retries=0)
    archive.put(x_1="hang", y_1="hang", z_1="good", z_2="good")
    process = archive.start()
    time.sleep(1)
    os.remove(f"{place}/in/z-1")
    code = process.wait(timeout=120)
    if code != 1 or archive.aside() != {"x-1": "worker-time", "y-1": "worker-time", "z-1": "file-open"}:
        fail(f"exit {code}, {archive.aside()}: {archive.said()[-3000:]}")
    return "set aside"


def backlog_away_early(place, _):
    """While ingest reads it."""
    archive = Null(place, seconds=2, retries=0)
    archive.put(a_1="hang", a_2="hang")
    for n in range(1500):
        archive.put(**{f"b{n // 10:03}_{n % 10}": f"good {n}"})
    process = archive.start()
    time.sleep(1)
    os.rename(f"{place}/in", f"{place}/in.away")
    wait_for_pause(archive, process)
    time.sleep(2.5)
    os.rename(f"{place}/in.away", f"{place}/in")
    code = process.wait(timeout=120)
    if code != 1 or archive.aside() != {"a-1": "worker-time", "a-2": "worker-time"} or len(archive.packages()) != 150:
        fail(f"exit {code}, {archive.aside()}, {len(archive.packages())}: {archive.said()[-3000:]}")
    return f"waited, {sum(e['event'] == 'paused' for e in archive.events())} times"


# The archive

def archive_away(place, _):
    archive = Null(place, seconds=2, retries=0)
    archive.put(x_1="hang", y_1="hang", **{f"z_{n}": f"good {n}" for n in range(5)})
    process = archive.start()
    time.sleep(1)
    os.rename(archive.out, archive.out + ".away")
    wait_for_pause(archive, process)
    time.sleep(2)
    os.rename(archive.out + ".away", archive.out)
    return archive_came_back(archive, process)


def archive_came_back(archive, process):
    code = process.wait(timeout=120)
    if code == 3:  # the ledger may have been away with it
        archive.run(1)
    elif code != 1:
        fail(f"exit {code}: {archive.said()[-3000:]}")
    if archive.aside() != {"x-1": "worker-time", "y-1": "worker-time"} or archive.packages() != ["AIP_z"]:
        fail(f"{archive.aside()}, {archive.packages()}: {archive.said()[-3000:]}")
    return f"exit {code}"


def archive_read_only(place, _):
    """A file system that may not be written to any more, as after a fault of its disk or its server; what is open goes on."""
    if not MOUNTS:
        return "NOT RUN: no file system can be mounted here"
    archive = Null(place, seconds=2, retries=0)
    archive.put(x_1="hang", y_1="hang", **{f"z_{n}": f"good {n}" for n in range(5)})
    process = archive.start()
    time.sleep(1)
    subprocess.run(["mount", "--bind", archive.out, archive.out], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", archive.out], check=True)
        wait_for_pause(archive, process)
        time.sleep(2)
        subprocess.run(["mount", "-o", "remount,rw,bind", archive.out], check=True)
        said = archive_came_back(archive, process)
    finally:
        process.kill()
        subprocess.run(["umount", "--lazy", archive.out], check=True)
    return said


SCENES = (silent_authority, slow_authority, frozen_key, hung_token, under_load, patience_authority, patience_revocation, patience_key, whose_wait,
          told_twice, poisoned, frozen_workers, in_a_pause, unread, second_run, hung_up, closed_terminal, backlog_away,
          backlog_away_early, backlog_gone, source_gone, archive_away, archive_read_only)


def main():
    if "mounted" not in sys.argv:
        words = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        if subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode == 0:
            sys.exit(subprocess.run([*words, sys.executable, "-B", __file__, sys.argv[1], "mounted"], check=False).returncode)
    names = os.environ.get("ARKSEAL_SCENES", "").split()
    chosen = [scene for scene in SCENES if not names or scene.__name__ in names]
    with tempfile.TemporaryDirectory(prefix="arkseal_stops_") as here, Pki(os.path.join(here, "pki")) as pki, \
            concurrent.futures.ThreadPoolExecutor(max_workers=4) as workers:
        running = {scene.__name__: workers.submit(scene, os.path.join(here, scene.__name__), pki) for scene in chosen}
        wrong = []
        for name, future in running.items():
            try:
                print(f"{name}: {future.result()}", flush=True)
            except BaseException as fault:
                wrong.append(f"{name}: {fault!r}" if not isinstance(fault, SystemExit) else f"{name}: {fault}")
        if wrong:
            fail("\n".join(wrong))


if __name__ == "__main__":
    main()
