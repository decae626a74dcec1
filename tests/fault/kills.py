"""Runs that are killed at random instants, whole or in part, and started again until they are done, end as if nothing had been.

ARKSEAL_KILLS: how many such runs; ARKSEAL_SEED: of the random numbers.
"""
import os
import random
import shutil
import subprocess
import tempfile
import time

from archive import EACH, Archive, Backlog, Pki, fail, family, kill

DOSSIERS = 12
# What may be in hand at a kill: documents at four workers that sign and four that augment, each with a stamp on its way, a seal; and each worker
# that augments chooses its authority by a stamp that is thrown away.
IN_HAND = 2 * 4 + 4 + 1
VICTIMS = ["supervisor", "worker", "key", "network", "all"]


class Token:
    """SoftHSM rewrites its token at each login, in place: one that is killed as it does so leaves half a file, and no token. That is its
    fault, and that of no real token; somebody mends it while the run waits."""

    def __init__(self, pki):
        self.folder = os.path.join(pki.folder, "tokens")
        self.whole = self.sizes()
        self.was = {}
        shutil.copytree(self.folder, self.folder + ".whole")

    def sizes(self):
        return {os.path.relpath(os.path.join(folder, name), self.folder): os.path.getsize(os.path.join(folder, name))
                for folder, _, names in os.walk(self.folder) for name in names if name.endswith(".object")}

    def mend(self):
        """To be called now and then: what is short at two calls is not being written."""
        now = {name: size for name, size in self.sizes().items() if size < self.whole.get(name, 0)}
        for name in now:
            if self.was.get(name) == now[name]:
                shutil.copy(os.path.join(self.folder + ".whole", name), os.path.join(self.folder, name + ".new"))
                os.replace(os.path.join(self.folder, name + ".new"), os.path.join(self.folder, name))
        self.was = now


def strike(pick, process, victim):
    """Kills; whether the run dies of it. None where there was nobody to kill."""
    children = family(process.pid)
    if victim == "supervisor":
        kill(process.pid)
        return True
    if victim == "all":
        for pid in [process.pid, *children]:
            kill(pid)
        return True
    services = {"key hol": "key", "network": "network"}  # as far as names of processes reach
    fitting = [pid for pid, name in children.items() if services.get(name, "worker") == victim]
    if not fitting:
        return None
    kill(pick.choice(sorted(fitting)))
    return False


def ended(process, token, seconds):
    """The exit code of a run, None where it has not ended after so many seconds."""
    due = time.monotonic() + seconds
    while time.monotonic() < due:
        try:
            return process.wait(timeout=min(1, max(due - time.monotonic(), 0.01)))
        except subprocess.TimeoutExpired:
            token.mend()
    return None


def killed_until_done(archive, token, pick, duration):
    """Returns how often something was killed."""
    kills = 0
    struck = []
    for attempt in range(20):
        process = archive.start()
        strikes = 0 if attempt >= 6 else 1
        while strikes:
            strikes -= 1
            try:
                process.wait(timeout=pick.uniform(0, duration))
            except subprocess.TimeoutExpired:
                victim = pick.choice(VICTIMS)
                died = strike(pick, process, victim)
                struck.append(victim)
                kills += died is not None
                strikes += died is False and pick.random() < 0.5
        code = ended(process, token, 60)
        if code is None:
            kill(process.pid)
            fail(f"hangs after {struck}: {family(process.pid)}: {archive.said()[-3000:]}")
        if code == 0:
            return kills, struck
        if code not in (-9, 3):
            fail(f"exit {code} after {struck}: {archive.said()[-3000:]}")
    return fail(f"not done after {struck}")


def main():
    runs, seed = int(os.environ.get("ARKSEAL_KILLS", "4")), int(os.environ.get("ARKSEAL_SEED", "173"))
    pick = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="arkseal_kills_") as here, Pki(os.path.join(here, "pki")) as pki:
        backlog = Backlog(os.path.join(here, "in"))
        backlog.grow(DOSSIERS)
        archive = Archive(pki, backlog, os.path.join(here, "out"))
        began = time.monotonic()
        archive.run()
        duration = time.monotonic() - began
        archive.check()
        token = Token(pki)
        least = 2 * DOSSIERS * EACH + DOSSIERS
        print(f"a whole run: {duration:.1f} s, {pki.stamps()} stamps", flush=True)
        total = 0
        for n in range(runs):
            archive.remove()
            pki.set("reset")
            before = pki.stamps()
            kills, struck = killed_until_done(archive, token, pick, duration)
            total += kills
            try:
                archive.check()
            except SystemExit as wrong:
                fail(f"seed {seed}, run {n}, {struck}: {wrong}\n{archive.said()[-3000:]}")
            stamps = pki.stamps() - before
            if not least <= stamps <= least + IN_HAND * (kills + 1):
                fail(f"seed {seed}, run {n}, {struck}: {stamps} stamps for {least} signatures and {kills} kills")
            if family(os.getpid()):
                fail(f"seed {seed}, run {n}: processes are left: {family(os.getpid())}")
            if n % 25 == 24:
                print(f"{n + 1} runs, {total} kills", flush=True)
        print(f"{runs} runs, {total} kills, seed {seed}")


if __name__ == "__main__":
    main()
