#!/usr/bin/python3
"""The manual page and the program's help name the same commands, options and values:  manual_test.py ARKSEAL MANUAL"""
import os
import re
import shutil
import subprocess
import sys


def help_of(arkseal, *words):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run([arkseal, *words, "--help"], capture_output=True, text=True, check=True, env=environment).stdout


def options_in_help(text):
    """Of the lines "  --name VALUE   what it does": {("name", "VALUE")}"""
    return {(m[1], m[2] or "") for m in re.finditer(r"^  --([a-z-]+)(?: (\S+))?(?:  | .*$)", text, re.M)}


def commands_in_help(text):
    """Of the lines "  name [--records]   what it does"."""
    return {m[1] for m in re.finditer(r"^  ([a-z]+(?: --records)?) +\S", text, re.M)}


def options_in_manual(text):
    """Command → options, of the subsections that are called after commands, separated by commas."""
    found = {}
    for part in re.split(r"^\.Ss ", text, flags=re.M)[1:]:
        title, body = part.split("\n", 1)
        body = re.split(r"^\.Sh ", body, flags=re.M)[0]
        options = {(m[1], m[2] or "") for m in re.finditer(r"^\.It Fl -(\S+)(?: Ar (\S+))?$", body, re.M)}
        found.update({name.strip(): options for name in title.split(",")})
    return found


def main():
    arkseal, manual = sys.argv[1:]
    with open(manual, encoding="utf-8") as file:
        text = file.read()
    faults, told, commands = [], options_in_manual(text), commands_in_help(help_of(arkseal))
    if len(commands) < 5:
        faults.append(f"the help names only these commands: {sorted(commands)}")
    faults += [f"{name}: in the help, not in the manual" for name in sorted(commands - told.keys())]
    faults += [f"{name}: in the manual, not in the help" for name in sorted(told.keys() - commands)]
    for name in sorted(commands & told.keys()):
        helped = options_in_help(help_of(arkseal, *name.split()))
        faults += [f"{name} --{o} {v}: in the help, not in the manual" for o, v in sorted(helped - told[name])]
        faults += [f"{name} --{o} {v}: in the manual, not in the help" for o, v in sorted(told[name] - helped)]
    if shutil.which("groff"):
        said = subprocess.run(["groff", "-k", "-mdoc", "-Tutf8", "-ww", "-z", manual], capture_output=True, text=True, check=False).stderr
        faults += [f"groff: {line}" for line in said.splitlines()]
    for fault in faults:
        print("FAIL:", fault)
    print(f"{len(commands)} commands, {len(told)} of them in the manual, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
