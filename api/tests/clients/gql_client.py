"""Python's gql: queries, errors, a mutation, a subscription and its resumption, over HTTP and both subprotocols."""

import asyncio
import sys
from uuid import uuid4

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

REGISTER = gql("""mutation ($input: RegisterInput!) { register(input: $input) {
    token position userErrors { code } viewer { person { userName } } } }""")
SIGN_IN = gql("""mutation ($input: SignInInput!) { signIn(input: $input) { position userErrors { code } } }""")
WHO = gql("{ viewer { person { userName } } }")
NOBODY = gql('{ node(id: "x") { id } person(userName: "nobody") { id } }')
UPDATES = gql("""subscription ($after: Position) {
    updates(after: $after) { position event { __typename } } }""")
PASSWORD = "secret of everybody"


async def refused(session, document) -> str:
    """The code of the first error, which there must be."""
    try:
        await session.execute(document)
    except TransportQueryError as error:
        return error.errors[0]["extensions"]["code"]
    raise AssertionError("no error")


async def variables(session, document, **values):
    """The data of a document with variables."""
    document.variable_values = values
    return await session.execute(document)


async def ask(session, user_name: str) -> None:
    """Asks what is there, then what is not."""
    assert (await session.execute(WHO))["viewer"]["person"]["userName"] == user_name
    assert await refused(session, gql("{ noSuchField }")) == "GRAPHQL_VALIDATION_FAILED"


async def sign_in(session, user_name: str) -> str:
    """Signs in on one more device, which is an update: its position."""
    signed_in = (await variables(session, SIGN_IN, input={"userName": user_name, "password": PASSWORD}))["signIn"]
    assert signed_in["userErrors"] == []
    return signed_in["position"]


async def follow(session, after: str, until: str) -> list:
    """The updates behind a position, to another one."""
    UPDATES.variable_values = {"after": after}
    seen = []
    async for pushed in session.subscribe(UPDATES):
        seen.append(pushed["updates"]["position"])
        assert pushed["updates"]["event"]["__typename"] == "SignedInUpdate"
        if seen[-1] == until:
            break
    return seen


async def main(url: str) -> None:
    """Runs all transports, one after the other."""
    user_name = f"py{uuid4().hex[:12]}"
    async with Client(transport=AIOHTTPTransport(url=url)) as session:
        payload = (await variables(session, REGISTER, input={"userName": user_name, "password": PASSWORD}))["register"]
        assert payload["userErrors"] == [], payload
        assert await refused(session, NOBODY) == "UNAUTHENTICATED"
    headers = {"Authorization": f"Bearer {payload['token']}"}
    async with Client(transport=AIOHTTPTransport(url=url, headers=headers)) as session:
        await ask(session, user_name)
    print("gql over HTTP: query, errors and mutation ok")
    socket_url, token = url.replace("http", "ws", 1) + "/ws", {"token": payload["token"]}
    current, older = WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL, WebsocketsTransport.APOLLO_SUBPROTOCOL
    after = payload["position"]
    for offered in ([current], [older], [older, current], None):
        chosen = {"subprotocols": offered} if offered else {}
        transport = WebsocketsTransport(url=socket_url, init_payload=token, **chosen)
        async with Client(transport=transport) as session:
            await ask(session, user_name)
            one, two = await sign_in(session, user_name), await sign_in(session, user_name)
            assert await follow(session, after, until=two) == [one, two]
            assert await follow(session, one, until=two) == [two], "resumes behind a position"
            after = two
        print(f"gql over WebSocket, {offered or 'default offer'}: query, error, mutation, subscription and resume ok")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 gql_client.py http://localhost:8000/graphql")
    asyncio.run(asyncio.wait_for(main(sys.argv[1]), 30))
