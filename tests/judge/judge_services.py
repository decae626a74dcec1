"""Services and tokens that misbehave, one row each: what becomes of the run (recovered: done by another way; paused: exit 3, done by the same command when
the cause is gone; refused: exit 3, and nothing is signed), by which code it is told; never a bad signature, a document set aside or lost, a PIN tried twice."""
import json
import os
import shutil
import subprocess
import sys
import time

from common import ARKSEAL, BUILD, SOURCE, WORK, Faults, run, token_environment
from judge_received import put
from judge_sign_only import page_of

# A token of its own: keys are added to it.
PKI = os.path.join(WORK, "services-pki")
TESTPKI = os.path.join(SOURCE, "tools", "testpki", "testpki")
ROOT = os.path.join(WORK, "services")
SITE, IN = os.path.join(ROOT, "site.yaml"), os.path.join(ROOT, "in")
NAMES = ["a.pdf", "b.pdf"]

WRONG = ["down", "http500", "garbage", "truncated", "empty", "html", "loop", "huge"]
TSA = [*WRONG, "wrong-nonce", "wrong-imprint", "wrong-signer", "expired", "rejected", "clock:3600"]
# What misbehaves, what becomes of the run, its code.
SERVICES = [
    *(([f"tsa={mode}"], "recovered", "") for mode in [*TSA, "once500", "slow:300"]),
    *(([f"tsa={mode}", f"tsa2={mode}"], "paused", "tsa-") for mode in TSA),
    (["tsa=once500", "tsa2=once500"], "recovered", ""),
    *(([f"ocsp={mode}"], "recovered", "") for mode in [*WRONG, "once500", "wrong-signer", "wrong-nonce", "no-nonce", "stale", "slow:300"]),
    *(([f"ocsp={mode}", f"crl={mode}"], "paused", ("revocation-", "ocsp-", "crl-")) for mode in [*WRONG, "wrong-signer", "stale"]),
    *(([f"crl={mode}"], "recovered", "") for mode in ("slow:300", "once500")),
    (["ocsp=revoked:seal-rsa"], "refused", "cert-revoked"),
    (["ocsp=down", "crl=revoked:seal-rsa"], "refused", "cert-revoked"),
    (["ocsp=revoked:issuing"], "recovered", ""),  # that responder has no say about its own authority
    (["cer=down"], "recovered", ""),
]


def arkseal(name, *settings, site=SITE):
    out = os.path.join(ROOT, "out")
    words = [ARKSEAL, "run", IN, "--profile", "sign-only", "--site", site, "--out", out, "--set", "ingest.settle-seconds=0", "--set", "limits.pause-limit-s=1"]
    done = subprocess.run([*words, *(w for s in settings for w in ("--set", s))], env=environment(), capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def environment():
    return {**token_environment(PKI), "XDG_STATE_HOME": os.path.join(ROOT, "state")}


def signed():
    out = os.path.join(ROOT, "out")
    return [n for n in NAMES if os.path.exists(os.path.join(out, n))]


def valid(faults, what):
    """As another process judges it, offline."""
    files = [os.path.join(ROOT, "out", n) for n in NAMES]
    done = subprocess.run([ARKSEAL, "validate", "--site", SITE, "--format", "json", *files], capture_output=True, text=True)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    faults.check(len(reports) == 2 and all(r["verdict"] == "valid" and r["signatures"][0]["format"] == "PAdES-BASELINE-LTA" for r in reports),
                 f"{what}: {[r['verdict'] for r in reports]}")


def nothing_aside(faults, what):
    quarantine = os.path.join(ROOT, "out", "quarantine")
    faults.check(not os.path.isdir(quarantine) or not os.listdir(quarantine), f"{what}: something is in quarantine")


def expect(faults, what, outcome, code, status, said):
    """What a run came to."""
    if outcome == "recovered":
        faults.check(status == 0 and signed() == NAMES, f"{what}: exit {status}: {said[-400:]}")
        valid(faults, what)
    else:
        codes = (code,) if isinstance(code, str) else code
        faults.check(status == 3 and any(f"[{c}" in said for c in codes), f"{what}: exit {status}, and not {code}: {said[-400:]}")
        faults.check(not signed(), f"{what}: {signed()} are signed")
    nothing_aside(faults, what)


def fresh():
    shutil.rmtree(os.path.join(ROOT, "out"), ignore_errors=True)


def check_services(faults):
    for switches, outcome, code in SERVICES:
        what = " ".join(switches)
        fresh()
        run(TESTPKI, "set", PKI, "reset", *switches)
        began = time.monotonic()
        status, said = arkseal(what)
        expect(faults, what, outcome, code, status, said)
        faults.check(time.monotonic() - began < 60, f"{what}: {time.monotonic() - began:.0f} s")
        run(TESTPKI, "set", PKI, "reset")
        if outcome == "paused":
            expect(faults, "after " + what, "recovered", "", *arkseal(what))


# Tokens.

def write_site(name, uri=None, **changes):
    """The site file with another key, or other members."""
    path = os.path.join(ROOT, name + ".yaml")
    with open(os.path.join(PKI, "site.yaml"), encoding="utf-8") as source, open(path, "w", encoding="utf-8") as to:
        for line in source:
            key = line.split(":")[0]
            if uri is not None and key == "key":
                line = f'key: "{uri}"\n'
            if key in changes:
                line = f"{key}: {changes[key]}\n"
            to.write(line.replace("[issuing.pem]", f"[{os.path.join(PKI, 'issuing.pem')}]").replace("[root.pem", f"[{os.path.join(PKI, 'root.pem')}"))
    return path


def uri(key="object=seal-rsa", pin=None, module=None, token="arkseal-test"):
    module = module or open(os.path.join(PKI, "module"), encoding="ascii").read().strip()
    return f"pkcs11:token={token};{key}?module-path={module}&pin-source=file:{pin or os.path.join(PKI, 'pin')}"


def tool(*words):
    with open(os.path.join(PKI, "pin"), encoding="ascii") as file:
        pin = file.read().strip()
    module = open(os.path.join(PKI, "module"), encoding="ascii").read().strip()
    run("pkcs11-tool", "--module", module, "--token-label", "arkseal-test", "--login", "--pin", pin, *words, env=token_environment(PKI))


def put_key(name, label, number, certificate=True):
    """A key of the test PKI on the token, with its certificate or without."""
    der = os.path.join(ROOT, name + ".der")
    run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", os.path.join(PKI, name + ".key"), "-outform", "DER", "-out", der)
    with open(os.path.join(PKI, "pin"), encoding="ascii") as file:
        run("softhsm2-util", "--import", os.path.join(PKI, name + ".key"), "--token", "arkseal-test", "--label", label, "--id", number, "--pin", file.read().strip(),
            env=token_environment(PKI))
    if certificate:
        run("openssl", "x509", "-in", os.path.join(PKI, name + ".pem"), "-outform", "DER", "-out", der)
        tool("--write-object", der, "--type", "cert", "--label", label, "--id", number)


def secret(name, text, mode=0o600):
    path = os.path.join(ROOT, name)
    put(ROOT, name, text.encode())
    os.chmod(path, mode)
    return path


def rows_of_tokens():
    """(what, site file, outcome, code)"""
    put_key("expired", "old", "21")
    put_key("revoked", "gone", "22")
    put_key("person", "bare", "23", certificate=False)
    put_key("seal-p384", "twin", "24")
    put_key("seal-p521", "twin", "25")
    put_key("rogue", "foreign", "26")
    put_key("tsa", "stamps", "27")
    right = open(os.path.join(PKI, "pin"), encoding="ascii").read()
    yield "an expired certificate", write_site("expired", uri("object=old")), "refused", "cert-"
    yield "a revoked certificate", write_site("revoked", uri("object=gone")), "refused", "cert-revoked"
    yield "a key without certificate", write_site("bare", uri("object=bare")), "refused", "key-none"
    yield "two keys of a name", write_site("twin", uri("object=twin")), "refused", "key-none"
    yield "two keys of a name, told apart", write_site("twin-id", uri("object=twin;id=%25")), "recovered", ""
    yield "a certificate of another authority", write_site("rogue", uri("object=foreign")), "refused", "cert-"
    yield "a certificate for timestamps", write_site("stamps", uri("object=stamps")), "refused", "cert-"
    yield "no such key", write_site("no-key", uri("object=nobody")), "refused", "key-none"
    yield "no such token", write_site("no-token", uri(token="elsewhere")), "refused", "key-gone"
    yield "no such module", write_site("no-module", uri(module="/usr/lib/nothing.so")), "refused", "key-module"
    yield "a module that is none", write_site("no-pkcs11", uri(module="/bin/true")), "refused", "key-"
    yield "a PIN that all may read", write_site("open-pin", uri(pin=secret("open-pin", right, 0o644))), "refused", "key-pin-source"
    yield "a PIN that is not there", write_site("no-pin", uri(pin=os.path.join(ROOT, "nowhere"))), "refused", "key-pin-source"
    yield "an empty PIN", write_site("empty-pin", uri(pin=secret("empty-pin", ""))), "refused", "key-pin"
    yield "a PIN in the URI", write_site("shown-pin", uri() + "&pin-value=1234"), "refused", "key-uri"
    yield "another organisation", write_site("other", organisation="Sở Khác"), "refused", "cert-organisation"
    yield "a wrong PIN", write_site("wrong-pin", uri(pin=secret("wrong-pin", "000000"))), "refused", "key-pin"


def check_tokens(faults):
    for what, site, outcome, code in rows_of_tokens():
        fresh()
        expect(faults, what, outcome, code, *arkseal(what, site=site))
    # The wrong PIN is tried once, whatever is run; a new file with the right one is.
    site = os.path.join(ROOT, "wrong-pin.yaml")
    for _ in range(3):
        status, said = arkseal("again", site=site)
        faults.check(status == 3 and "key-pin" in said, f"a wrong PIN again: exit {status}: {said[-300:]}")
    secret("wrong-pin", open(os.path.join(PKI, "pin"), encoding="ascii").read())
    # The token has few tries left now: the next one is a person's.
    expect(faults, "the PIN corrected, nobody there", "refused", "key-pin-locked", *arkseal("corrected", site=site))
    run(ARKSEAL, "key", "check", "--login", "--site", site, env=environment())
    expect(faults, "the PIN corrected", "recovered", "", *arkseal("corrected", site=site))
    # The token is pulled, and comes back.
    fresh()
    tokens = os.path.join(PKI, "tokens")
    os.rename(tokens, tokens + "-away")
    os.makedirs(tokens)
    expect(faults, "token pulled", "paused", "key-gone", *arkseal("pulled"))
    os.rmdir(tokens)
    os.rename(tokens + "-away", tokens)
    expect(faults, "token back", "recovered", "", *arkseal("back"))


def main():
    faults = Faults()
    shutil.rmtree(ROOT, ignore_errors=True)
    for name in NAMES:
        put(IN, name, page_of(b"/MediaBox[0 0 595 %d]" % (842 + len(name) + ord(name[0]))))
    os.environ["ARKSEAL_TESTPKI"] = os.path.join(BUILD, "tools", "testpki", "arkseal-testpki")
    shutil.rmtree(PKI, ignore_errors=True)
    run(TESTPKI, "start", PKI)
    write_site("site")
    try:
        check_services(faults)
        check_tokens(faults)
    finally:
        run(TESTPKI, "stop", PKI)
        shutil.rmtree(PKI, ignore_errors=True)
    faults.end()


if __name__ == "__main__":
    sys.exit(main())
