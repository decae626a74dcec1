#!/usr/bin/python3
"""What a command costs, with every process that it starts:  measure.py RESULT.json LOG SECONDS COMMAND…

CPU time comes from wait4 and counts all processes, orphans too (this process is their subreaper). Peak memory is the larger of the
biggest single process (wait4) and the whole tree's proportional set size, looked at ten times a second. After SECONDS the command's
process group is killed.
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36


def tree():
    """The processes below this one."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found, at = [], [os.getpid()]
    while at:
        more = children.get(at.pop(), [])
        found += more
        at += more
    return found


def memory_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"Pss:"))
    except (OSError, StopIteration):
        return 0


def main():
    result, log, seconds, command = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ended, sampled, timed_out = threading.Event(), [0], [False]
    with open(log, "wb") as out:
        began = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    def watch():
        while not ended.wait(0.1):
            sampled[0] = max(sampled[0], sum(memory_kib(pid) for pid in tree()))
            if time.monotonic() - began > seconds and not timed_out[0]:
                timed_out[0] = True
                os.killpg(child.pid, signal.SIGKILL)

    watcher = threading.Thread(target=watch)
    watcher.start()
    cpu, largest, wall, code = 0.0, 0, None, None
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu += usage.ru_utime + usage.ru_stime
        largest = max(largest, usage.ru_maxrss)
        if pid == child.pid:
            wall, code = time.monotonic() - began, os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    with open(result, "w") as file:
        json.dump({"cpu_s": cpu, "wall_s": wall, "peak_mib": max(largest, sampled[0]) / 1024, "exit": code,
                   "timed_out": timed_out[0]}, file)


if __name__ == "__main__":
    main()
