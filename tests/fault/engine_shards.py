#!/usr/bin/python3
"""Two shards side by side into one archive, with stages that do next to nothing, read together:  engine_shards.py NULL_ARKSEAL"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

DOSSIERS, EACH = 30, 3
tool = sys.argv[1]


def call(*words):
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAIL: {what}: {found!r}, wanted {wanted!r}")


def main():
    with tempfile.TemporaryDirectory(prefix="arkseal_shards_") as here:
        backlog, out, metrics = (os.path.join(here, name) for name in ("in", "out", "m.prom"))
        os.mkdir(backlog)
        for d in range(DOSSIERS):
            for i in range(EACH):
                with open(f"{backlog}/d{d:02}-{i}", "w", encoding="utf-8") as file:
                    file.write("fail" if (d, i) == (7, 1) else "document")
        with open(f"{here}/test.yaml", "w", encoding="utf-8") as file:
            file.write("name: test\nstages: [ingest, convert, sign, bundle, validate]\n")
        with open(f"{here}/site.yaml", "w", encoding="utf-8") as file:
            file.write('organisation: Test\nkey: "pkcs11:token=x"\njobs: 2\n')
        run = [tool, "run", backlog, "--profile", f"{here}/test.yaml", "--out", out, "--site", f"{here}/site.yaml"]
        shards = [subprocess.Popen([*run, "--shard", f"{n}/2", "--log", "json", "--metrics", f"{metrics}{n}"],
                                   stderr=subprocess.PIPE, text=True) for n in (1, 2)]
        events = [[json.loads(line) for line in shard.communicate()[1].splitlines()] for shard in shards]
        expect("exit codes", sorted(shard.returncode for shard in shards), [0, 1])

        documents = DOSSIERS * EACH
        for n, seen in enumerate(events, 1):
            expect("first and last event", [seen[0]["event"], seen[-1]["event"]], ["started", "finished"])
            expect("shard", seen[0]["shard"], f"{n}/2")
        mine = [{e["id"] for e in seen if e["event"] == "stage" and e["stage"] == "convert"} for seen in events]
        expect("converted by both", mine[0] & mine[1], set())
        expect("converted", len(mine[0] | mine[1]), documents)
        expect("each shard has work", min(map(len, mine)) > 0, True)
        expect("quarantined", [e["id"] for seen in events for e in seen if e["event"] == "quarantined"], ["d07-1"])
        expect("packages", sum(n.startswith("AIP_") and not n.endswith(".seal") for n in os.listdir(out)), DOSSIERS - 1)
        with open(f"{metrics}1", encoding="utf-8") as file:
            expect("metrics", 'shard="1/2",state="done"}' in file.read(), True)

        code, text, _ = call("status", "--json", out)
        status = json.loads(text)
        expect("status", (code, status["running"], status["documents"], status["packages"]["done"]),
               (0, [], {"ok": EACH - 1, "done": documents - EACH, "quarantine": 1, "refused": 0}, DOSSIERS - 1))
        rows = list(csv.DictReader(io.StringIO(call("report", "--csv", out)[1])))
        expect("rows", len(rows), documents + DOSSIERS - 1)
        expect("reason", [(r["id"], r["code"]) for r in rows if r["state"] == "quarantined"], [("d07-1", "test-fail")])
        sums = list(csv.DictReader(io.StringIO(call("report", "--statistics", out)[1])))
        expect("sums", sum(int(r["items"]) for r in sums if r["kind"] == "document"), documents)
        places = [tuple(r[k] for k in r if k not in ("items", "pages")) for r in sums]
        expect("a row a sum", sorted(set(places)), sorted(places))
        page = call("report", "--html", out)[1]
        expect("quarantined, of all parts", page.count("<td>d07-1</td>"), 1)
        done = [row for row in page.split("<tr>") if row.count("<td") == 7 and "<td>Documents</td><td>done</td>" in row]
        expect("done, of all parts", len(done), 1)
        expect("page", ("d07-1" in page, "<script" in page, page.rstrip().endswith("</html>")), (True, False, True))

        expect("the whole on parts", subprocess.run(run, capture_output=True, check=False).returncode, 2)
        expect("other parts", subprocess.run([*run, "--shard", "1/3"], capture_output=True, check=False).returncode, 2)
        expect("no part", subprocess.run([*run, "--shard", "3/2"], capture_output=True, check=False).returncode, 2)

        expect("retry of nothing", call("retry", out, "none")[0], 1)
        with open(f"{backlog}/d07-1", "w", encoding="utf-8") as file:
            file.write("document")
        expect("retry", call("retry", out, "d07-1")[0], 0)
        for n in (1, 2):
            expect("again", subprocess.run([*run, "--shard", f"{n}/2"], capture_output=True, check=False).returncode, 0)
        expect("all packages", sum(n.startswith("AIP_") and not n.endswith(".seal") for n in os.listdir(out)), DOSSIERS)
    print("shards: ok")


main()
