"""A client with Debian's python3-websockets: client.py URL header|subprotocols, the token in $TOKEN.

It sends each line of the input, prints each frame, and closes the socket at the input's end. It speaks
as wscat does: "/ping" sends a ping, and "Connected", "< frame", "Disconnected", "error:" begin its lines.
"""

import asyncio
import os
import sys

import websockets
from websockets.version import version


def credentials(way, token):
    if way == "subprotocols":
        return {"subprotocols": ["bearer", token]}
    # Version 14, Debian 13's is newer, gave the argument another name.
    headers = "additional_headers" if int(version.split(".")[0]) >= 14 else "extra_headers"
    return {headers: {"Authorization": f"Bearer {token}"}}


def say(line):
    print(line, flush=True)


async def type_into(socket):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        if line.strip() == b"/ping":
            await (await socket.ping())
            say("Received pong")
        else:
            await socket.send(line.decode().rstrip("\n"))
    await socket.close()


async def main(url, way):
    try:
        socket = await websockets.connect(url, **credentials(way, os.environ["TOKEN"]))
    except websockets.InvalidHandshake as refusal:
        sys.exit(f"error: {refusal}")
    say(f'Connected (subprotocol: "{socket.subprotocol or ""}")')
    typing = asyncio.create_task(type_into(socket))
    async for frame in socket:
        say(f"< {frame}")
    typing.cancel()
    say(f'Disconnected (code: {socket.close_code}, reason: "{socket.close_reason}")')


asyncio.run(main(*sys.argv[1:]))
