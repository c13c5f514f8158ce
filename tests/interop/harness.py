"""What both halves need: programs, HTTP, waiting, and a record of what went over the wire."""

import asyncio
import contextlib
import json
import os
import urllib.error
import urllib.request

VERBOSE = os.environ.get("VERBOSE") == "1"
# How long something may take that should happen at once, in seconds.
PATIENCE = 30


class Failed(Exception):
    """The other side did not do what the standard says."""


def check(condition, description: str) -> None:
    """Fails unless the condition holds."""
    if not condition:
        raise Failed(description)


async def eventually(description: str, probe, patience: float = PATIENCE):
    """Waits until the probe gives something truthy, and gives that."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        found = probe()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise Failed(f"never happened: {description}")
        await asyncio.sleep(0.05)


async def http(method: str, url: str, body=None, token: str | None = None):
    """The status and the JSON of an HTTP answer."""

    def ask():
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    status, text = await asyncio.to_thread(ask)
    return status, json.loads(text) if text else None


@contextlib.asynccontextmanager
async def program(*command: str, environment: dict[str, str] | None = None):
    """Runs a program and ends it afterwards. What it writes to its standard output can be read."""
    check(os.access(command[0], os.X_OK), f"{command[0]} is not there: build it first")
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=None if VERBOSE else asyncio.subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(10):
                    # Draining the pipe lets a program end that is still writing.
                    await process.stdout.read()
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def line_with(process, text: str) -> str:
    """The next line of the standard output that has this text in it."""
    async with asyncio.timeout(PATIENCE):
        while line := await process.stdout.readline():
            if text in line.decode():
                return line.decode().strip()
    raise Failed(f"the program ended without a line with `{text}`")


def recording(charge_point_class):
    """A class of the package's ChargePoint that keeps every message and every refusal."""

    class Recording(charge_point_class):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            # The calls that the peer sent and that were answered with a result: (action, payload).
            self.calls: list[tuple[str, dict]] = []
            # What the package answered with an error, because the peer's message breaks its schemas.
            self.refusals: list[str] = []
            self._routing: dict[str, tuple[str, dict]] = {}

        async def route_message(self, raw_msg):
            message = json.loads(raw_msg)
            if message[0] == 2:
                self._routing[message[1]] = (message[2], message[3])
            await super().route_message(raw_msg)

        async def _send(self, message):
            frame = json.loads(message)
            if frame[0] in (3, 4) and (call := self._routing.pop(frame[1], None)):
                if frame[0] == 3:
                    self.calls.append(call)
                else:
                    self.refusals.append(f"{call[0]} {json.dumps(call[1])} was refused: {frame[2:]}")
            await super()._send(message)

        async def call_peer(self, request):
            """Sends a request, and gives the answer. A refusal or an answer that breaks the schemas is a failure."""
            try:
                return await self.call(request, suppress=False)
            except Exception as error:
                raise Failed(f"{type(request).__name__} failed: {error!r}") from error

        def payloads(self, action: str) -> list[dict]:
            """The payloads of the calls of an action so far."""
            return [payload for name, payload in self.calls if name == action]

    return Recording
