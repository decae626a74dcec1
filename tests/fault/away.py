"""Authorities and the token go away and come back while a run goes on: it waits, says so, and ends its work by itself."""
import os
import tempfile
import time

from archive import Archive, Backlog, Pki, fail
from disk import expect, wait_for_pause

DOSSIERS = 6


def token_folder(pki):
    with open(pki.environment()["SOFTHSM2_CONF"], encoding="utf-8") as file:
        return next(line.split("=")[1].strip() for line in file if line.startswith("directories.tokendir"))


def main():
    with tempfile.TemporaryDirectory(prefix="arkseal_away_") as here, Pki(os.path.join(here, "pki")) as pki:
        backlog = Backlog(os.path.join(here, "in"))
        backlog.grow(DOSSIERS)
        archive = Archive(pki, backlog, os.path.join(here, "out"))
        token = token_folder(pki)

        def switch(*words):
            return lambda: pki.set("reset", *words)

        back = switch()
        scenes = [
            ("authorities", switch("tsa=down", "tsa2=down"), back),
            ("answers", switch("tsa=garbage", "tsa2=wrong-nonce"), back),
            ("revocation", switch("ocsp=down", "crl=down"), back),
            ("token", lambda: os.rename(token, token + ".away"), lambda: os.rename(token + ".away", token)),
        ]
        for name, leave, come in scenes:
            for delay in (0, 0.5):
                archive.remove()
                if delay == 0:
                    leave()
                process = archive.start()
                if delay > 0:
                    time.sleep(delay)
                    leave()
                if delay == 0:
                    wait_for_pause(archive, process)
                time.sleep(2)
                come()
                expect(archive, process, 0)
                archive.check()
                waits = sum(e["event"] == "paused" for e in archive.events())
                if archive.discarded():
                    fail(f"{name}: {archive.discarded()}")
                print(f"{name}, after {delay} s: {waits} pauses", flush=True)
                if process.returncode != 0:
                    fail(name)

        # A signature that has waited too long for its timestamp.
        archive.remove()
        pki.set("reset", "tsa=down", "tsa2=down")
        process = archive.start("--set", "sign.timestamp-within-s=1")
        wait_for_pause(archive, process)
        time.sleep(3)
        pki.set("reset")
        expect(archive, process, 0)
        archive.check()
        reasons = set(archive.discarded())
        if reasons != {"a use of the key was discarded: its timestamp did not come in time"}:
            fail(f"discarded: {reasons}")
        print(f"too late: {len(archive.discarded())} discarded")


if __name__ == "__main__":
    main()
