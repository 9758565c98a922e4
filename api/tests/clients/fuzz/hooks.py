"""What schemathesis needs to know of Annal: its scalars, ids that exist, and what a server error is."""

import json
import os
import re
from zlib import crc32

import schemathesis
from hypothesis import strategies
from hypothesis_graphql import nodes

# Codes that tell of the server and not of the request.
OF_THE_SERVER = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", None}
IDS = json.loads(os.environ.get("FUZZ_IDS", "[]"))
# An argument that holds one id or is the start of a list of them.
ID_ARGUMENT = re.compile(r'\b(id|ids|personId|conversationId): (\[?)("[^"\n]*")')

schemathesis.graphql.scalar("Position", strategies.integers(0, 2**63 - 1).map(str).map(nodes.String))


@schemathesis.hook
def map_body(_context, body):
    """Puts an id that exists in the place of most made-up ones; which one follows from the document."""
    if not IDS or not isinstance(body, str):
        return body

    def exchange(found):
        pick = crc32((body + found.group(0)).encode()) % (len(IDS) + 2)
        made_up = pick >= len(IDS)
        return found.group(0) if made_up else f'{found.group(1)}: {found.group(2)}"{IDS[pick]}"'

    return ID_ARGUMENT.sub(exchange, body)


@schemathesis.check
def is_answered(_context, response, _case):
    """Whatever was asked, the server answers it: with data, or with errors that have a code of the request's."""
    assert response.status_code < 500, f"status {response.status_code}"
    content_type = response.headers.get("content-type", [""])[0]
    if "json" in content_type:
        errors = json.loads(response.content).get("errors", [])
        codes = [error.get("extensions", {}).get("code") for error in errors]
        assert not OF_THE_SERVER.intersection(codes), f"codes {codes}"
