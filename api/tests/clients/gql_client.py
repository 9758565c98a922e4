"""Python's gql: a query, an error and a subscription over HTTP and both WebSocket subprotocols."""

import asyncio
import os
import sys

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

SUBSCRIPTION = os.environ.get("SUBSCRIPTION", "subscription { count(to: 3) }")


async def query_and_error(session) -> None:
    """Asks what every schema knows, then what none does."""
    assert (await session.execute(gql("{ __typename }")))["__typename"]
    try:
        await session.execute(gql("{ noSuchField }"))
    except TransportQueryError as refused:
        assert refused.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED", refused.errors
    else:
        raise AssertionError("an unknown field was accepted")


async def main(url: str) -> None:
    """Runs all transports, one after the other."""
    async with Client(transport=AIOHTTPTransport(url=url)) as session:
        await query_and_error(session)
    print("gql over HTTP: query and error ok")
    socket_url = url.replace("http", "ws", 1) + "/ws"
    current, older = WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL, WebsocketsTransport.APOLLO_SUBPROTOCOL
    for offered in ([current], [older], [older, current], None):
        chosen = {"subprotocols": offered} if offered else {}
        async with Client(transport=WebsocketsTransport(url=socket_url, **chosen)) as session:
            await query_and_error(session)
            pushed = [payload async for payload in session.subscribe(gql(SUBSCRIPTION))]
            assert pushed, "nothing was pushed"
        print(f"gql over WebSocket, {offered or 'default offer'}: query, error and subscription ok")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 gql_client.py http://localhost:8000/graphql")
    asyncio.run(asyncio.wait_for(main(sys.argv[1]), 30))
