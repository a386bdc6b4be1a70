#!/usr/bin/env python3
"""A Beam backend in Python 3 (standard library only): an example network over loopback TCP.

An address looks like py-loop://127.0.0.1:40123 and hides nothing: it is for learning and for tests. The protocol is described in
docs/executable-backends.md. Standard output carries protocol messages only; everything else goes to standard error.
"""

import asyncio
import hmac
import json
import os
import re
import secrets
import socket
import struct
import sys
import threading
import time

PROTOCOL_VERSION = 1
MAX_LINE_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024
# How long a dialled stream waits to be fetched, and how long the fetcher may take for its token.
HANDOVER_SECONDS = 10
CONNECT_SECONDS = 10
ADDRESS = re.compile(r"^py-loop://127\.0\.0\.1:([1-9][0-9]{0,4})$")

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
FAILED = -32000


class Refusal(Exception):
    """An answer that says no: `kind` tells Beam what sort of failure it is."""

    def __init__(self, message, kind=None, code=None, hint=None, number=FAILED):
        super().__init__(message)
        data = {"kind": kind, "code": code, "hint": hint}
        self.error = {"code": number, "message": message, "data": {k: v for k, v in data.items() if v is not None}}


# ---- byte streams -------------------------------------------------------------------------------------------------------------------


def reset(writer):
    """Breaks a connection off so that the other side sees a reset (RST) and not an end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
    writer.transport.abort()


async def pump(reader, writer):
    """Moves one direction. The end of it ends that direction only (half-close)."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


async def join(a, b):
    """Joins two connections in both directions; a reset of one resets the other."""
    (a_reader, a_writer), (b_reader, b_writer) = a, b
    pumps = [asyncio.ensure_future(pump(a_reader, b_writer)), asyncio.ensure_future(pump(b_reader, a_writer))]
    try:
        await asyncio.gather(*pumps)
        for writer in (a_writer, b_writer):
            writer.close()
    except (OSError, asyncio.CancelledError):
        for task in pumps:
            task.cancel()
        for writer in (a_writer, b_writer):
            reset(writer)


async def connect(host, port):
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port, limit=CHUNK_BYTES), CONNECT_SECONDS)
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return reader, writer


# ---- tunnels ------------------------------------------------------------------------------------------------------------------------


class Tunnel:
    """One published tunnel: a listening port on loopback whose visitors are handed to Beam."""

    def __init__(self, tunnel_id, streams):
        self.id = tunnel_id
        self.streams = streams
        self.server = None
        self.address = None
        self.visitors = set()

    async def listen(self, port):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", port, limit=CHUNK_BYTES)
        self.address = "py-loop://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.visitors.add(task)
        try:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            beam = await connect(self.streams["host"], self.streams["port"])
            beam[1].write(self.streams["token"].encode() + b"\n")
            await join((reader, writer), beam)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            reset(writer)
        finally:
            self.visitors.discard(task)

    async def close(self):
        self.server.close()
        for task in list(self.visitors):
            task.cancel()


class Backend:
    """The methods that Beam calls. Every public coroutine is one."""

    def __init__(self, notify):
        self.notify = notify
        self.tunnels = {}
        self.data = None
        self.methods = {
            "initialize": self.initialize,
            "network_type": self.network_type,
            "capabilities": self.capabilities,
            "create_tunnel": self.create_tunnel,
            "destroy_tunnel": self.destroy_tunnel,
            "status": self.status,
            "network_stats": self.network_stats,
            "reach": self.reach,
            "dial": self.dial,
            "shutdown": self.shutdown,
        }

    async def initialize(self, params):
        if PROTOCOL_VERSION not in params["protocolVersions"]:
            raise Refusal("py-loop speaks version %d of the protocol only" % PROTOCOL_VERSION, kind="unsupported")
        self.data = params["paths"]["data"]
        return {"protocolVersion": PROTOCOL_VERSION, "version": "1.0.0"}

    async def network_type(self, _params):
        return {
            "networkType": "py-loop",
            "addresses": {"prefixes": ["py-loop://"], "suffixes": []},
            "dialReveals": ["That somebody on this machine connects."],
        }

    async def capabilities(self, _params):
        return {
            "supportsDomains": False,
            "supportsIPv6": False,
            "maxThroughput": None,
            "anonymityLevel": "none",
            "censorshipResistance": "none",
            "delivery": "stream",
            "exposesPublisherIp": True,
            "exposesVisitorIp": True,
            "persistentAddresses": True,
            "accessControl": False,
        }

    async def create_tunnel(self, params):
        tunnel = Tunnel(params["id"], params["streams"])
        name = params.get("name")
        ports = self.read_ports()
        self.notify("progress", {"tunnel": tunnel.id, "phase": "listen", "message": "opening a loopback port"})
        try:
            await tunnel.listen(ports.get(name, 0) if name is not None else 0)
        except OSError as error:
            if name is None or name not in ports:
                raise Refusal("no port could be opened: %s" % error, kind="unavailable") from error
            raise Refusal("the name is in use by another process", kind="unavailable", code="BEAM_ERR_NAME_IN_USE") from error
        if name is not None and name not in ports:
            # Kept before it is used: the address survives a crash from here on.
            self.write_ports({**ports, name: int(tunnel.address.rsplit(":", 1)[1])})
        self.tunnels[tunnel.id] = tunnel
        self.notify("address", {"tunnel": tunnel.id, "address": tunnel.address})
        endpoint = {"address": tunnel.address, "state": "active", "reveals": ["That the service runs on this machine."]}
        return {"id": tunnel.id, "endpoints": [endpoint]}

    async def destroy_tunnel(self, params):
        tunnel = self.tunnels.pop(params["id"], None)
        if tunnel is not None:
            await tunnel.close()
        return {}

    async def status(self, _params):
        return {"state": "running"}

    async def network_stats(self, _params):
        return {}

    async def reach(self, params):
        started = time.monotonic()
        _reader, writer = await self.open(params["address"])
        elapsed = time.monotonic() - started
        reset(writer)
        return {"kind": "direct", "hops": 0, "latencyMs": round(elapsed * 1000, 3)}

    async def dial(self, params):
        far = await self.open(params["address"])
        token = secrets.token_urlsafe(32)
        fetched = asyncio.get_running_loop().create_future()

        async def fetch(reader, writer):
            try:
                line = await asyncio.wait_for(reader.readline(), HANDOVER_SECONDS)
            except (OSError, ValueError, asyncio.TimeoutError):
                line = b""
            if fetched.done() or not hmac.compare_digest(line.rstrip(b"\r\n"), token.encode()):
                reset(writer)
                return
            fetched.set_result(None)
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await join((reader, writer), far)

        try:
            server = await asyncio.start_server(fetch, "127.0.0.1", 0, limit=CHUNK_BYTES)
        except BaseException:  # also when the dial is cancelled
            reset(far[1])
            raise

        async def expire():
            try:
                await asyncio.wait_for(asyncio.shield(fetched), HANDOVER_SECONDS)
            except asyncio.TimeoutError:
                fetched.cancel()
                reset(far[1])
            finally:
                server.close()

        keep(expire())
        return {"socket": {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}, "token": token}

    async def shutdown(self, _params):
        for tunnel in list(self.tunnels.values()):
            await tunnel.close()
        self.tunnels.clear()
        return {}

    async def open(self, address):
        """Connects to an address of the network."""
        match = ADDRESS.match(address)
        if match is None or int(match.group(1)) > 65535:
            raise Refusal("this is no py-loop address", kind="unreachable", code="BEAM_ERR_ADDRESS_INVALID")
        try:
            return await connect("127.0.0.1", int(match.group(1)))
        except (OSError, asyncio.TimeoutError) as error:
            raise Refusal("nobody answers at this address", kind="unreachable", code="BEAM_ERR_NOT_FOUND") from error

    def read_ports(self):
        try:
            with open(os.path.join(self.data, "ports.json"), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def write_ports(self, ports):
        path = os.path.join(self.data, "ports.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(ports, file)
        os.replace(path + ".new", path)


# ---- JSON-RPC 2.0 on the standard streams -------------------------------------------------------------------------------------------

background = set()


def keep(coroutine):
    """Runs a coroutine beside the others (asyncio itself keeps weak references only)."""
    task = asyncio.ensure_future(coroutine)
    background.add(task)
    task.add_done_callback(background.discard)
    return task


def send(message):
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    sys.stdout.buffer.flush()


async def answer(backend, request):
    try:
        method = backend.methods.get(request["method"])
        if method is None:
            raise Refusal("no such method", number=METHOD_NOT_FOUND)
        send({"id": request["id"], "result": await method(request.get("params", {}))})
    except asyncio.CancelledError:
        send({"id": request["id"], "error": {"code": FAILED, "message": "cancelled"}})
    except Refusal as refusal:
        send({"id": request["id"], "error": refusal.error})
    except (KeyError, TypeError, ValueError) as error:
        send({"id": request["id"], "error": {"code": INVALID_PARAMS, "message": "bad parameters: %r" % error}})
    except OSError as error:
        send({"id": request["id"], "error": {"code": FAILED, "message": str(error), "data": {"kind": "unavailable"}}})


async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.Queue()

    def read_stdin():
        # A thread, because asyncio reads no standard input on Windows. The end of it means that Beam is gone.
        while line := sys.stdin.buffer.readline(MAX_LINE_BYTES):
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read_stdin, daemon=True).start()
    backend = Backend(lambda method, params: send({"method": method, "params": params}))
    running = {}
    while (line := await lines.get()) is not None:
        message = json.loads(line)
        if message["method"] == "cancel":
            task = running.get(message["params"]["request"])
            if task is not None:
                task.cancel()
        elif "id" in message:
            request_id = message["id"]
            task = keep(answer(backend, message))
            running[request_id] = task
            task.add_done_callback(lambda _task, request_id=request_id: running.pop(request_id, None))
    await backend.shutdown({})


if __name__ == "__main__":
    asyncio.run(main())
