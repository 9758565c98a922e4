"""Fuzzes a running Annal with schemathesis: the schema signed in and anonymous, and the HTTP addresses.

Bounded and repeatable: FUZZ_EXAMPLES per operation, drawn with FUZZ_SEED. FUZZ_RATE requests per second keep a long run
below what one account may ask.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import requests

HERE = Path(__file__).parent
EXAMPLES, SEED = os.environ.get("FUZZ_EXAMPLES", "15"), os.environ.get("FUZZ_SEED", "1")
RATE = ["--rate-limit", f"{os.environ['FUZZ_RATE']}/s"] if "FUZZ_RATE" in os.environ else []
# How long one request may take, in seconds.
REQUEST_MAX = 15
# How long one of the three runs may take, in seconds.
RUN_MAX = 60 + int(EXAMPLES)


def act(url, mutation, values, selection, token=None):
    """One mutation that must be done; its payload."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    payload = f"payload: {mutation}(input: $input) {{ userErrors {{ code }} {selection} }}"
    query = f"mutation ($input: {kind}) {{ {payload} }}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, "variables": {"input": values}}
    answer = requests.post(url, json=body, headers=headers, timeout=REQUEST_MAX).json()
    payload = answer["data"]["payload"]
    assert payload["userErrors"] == [], payload
    return payload


def person(url):
    """Somebody new: a token and an id."""
    joining = {"userName": f"fuzz{uuid4().hex[:12]}", "password": "secret of everybody"}
    payload = act(url, "register", joining, "token viewer { person { id } }")
    return payload["token"], payload["viewer"]["person"]["id"]


def world(url):
    """Two friends who have spoken, and an open request: one's token, and the ids of everything."""
    (ann, ann_id), (bob, bob_id), (cem, cem_id) = person(url), person(url), person(url)
    asked = act(url, "requestFriend", {"personId": bob_id}, "friendRequest { id }", ann)
    friends = act(url, "confirmFriend", {"personId": ann_id}, "conversation { id }", bob)
    conversation = friends["conversation"]["id"]
    said = {"conversationId": conversation, "content": {"text": "hello 你好"}}
    message = act(url, "sendMessage", said, "message { id }", bob)
    act(url, "requestFriend", {"personId": ann_id}, "position", cem)
    return ann, [ann_id, bob_id, cem_id, asked["friendRequest"]["id"], conversation, message["message"]["id"]]


def fuzz(name, location, *flags, ids=()):
    """One run of schemathesis; ends everything when it finds something."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", location, "--phases", "fuzzing", "--no-color"]
    command += ["--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none", *RATE, *flags]
    settings = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "FUZZ_IDS": json.dumps(list(ids))}
    # It keeps what it found where it runs, and would begin with that the next time.
    with tempfile.TemporaryDirectory() as nowhere:
        done = subprocess.run(
            command, cwd=nowhere, env=settings, capture_output=True, text=True, timeout=RUN_MAX, check=False
        )
    lines = [line.strip() for line in done.stdout.splitlines()]
    tested = [line for line in lines if line.startswith("Tested:") or " generated, " in line]
    print(f"{name}: {', '.join(tested)}")
    if done.returncode != 0:
        sys.exit(f"{done.stdout}{done.stderr}")


def main(url):
    """All runs, one after the other."""
    token, ids = world(url)
    # Signing out would end the session of all requests behind it.
    signed_in = ["-H", f"Authorization: Bearer {token}", "--exclude-name", "Mutation.signOut"]
    fuzz("signed in", url, "--checks", "not_a_server_error,is_answered", *signed_in, ids=ids)
    fuzz("anonymous", url, "--checks", "is_answered", ids=ids)
    home = urlsplit(url)
    addresses = ["--url", f"{home.scheme}://{home.netloc}", "--mode", "all"]
    fuzz("addresses", str(HERE / "http.json"), "--checks", "not_a_server_error,is_answered", *addresses)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 fuzz/main.py http://localhost:8000/graphql")
    main(sys.argv[1])
