"""The charge points of the `ocpp` package against `ocpp-csms serve`."""

import contextlib
import functools
import os
import socket
import tempfile
from decimal import Decimal

from websockets.exceptions import InvalidStatus

from charge_points import METER_START, METER_STOP, charge_point
from harness import check, eventually, http, program

CSMS = os.environ.get("OCPP_CSMS", "target/debug/ocpp-csms")
VERSIONS = ["1.6", "2.0.1", "2.1"]
API_TOKEN = "interop-api-token-0123456789abcdef"
STATION = "PY-1"
PASSWORD = "a-password-of-20-chars"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Api:
    """The REST interface of a running CSMS."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    async def ask(self, method, path, body=None):
        return await http(method, f"{self.url}/api/v1{path}", body, API_TOKEN)

    async def put(self, path, body):
        status, answer = await self.ask("PUT", path, body)
        check(status in (200, 201, 204), f"PUT {path} answered {status} {answer}")

    async def get(self, path):
        status, answer = await self.ask("GET", path)
        check(status == 200, f"GET {path} answered {status} {answer}")
        return answer

    async def call(self, action, payload, **more):
        return await self.ask("POST", f"/stations/{STATION}/calls", {"action": action, "payload": payload} | more)


@contextlib.asynccontextmanager
async def serving():
    """A CSMS over a new database."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [CSMS, "serve", "--listen", f"127.0.0.1:{port}", "--database", os.path.join(folder, "csms.sqlite")]
        async with program(*command, environment={"OCPP_CSMS_API_TOKEN": API_TOKEN}) as process:
            api = Api(port)

            async def healthy():
                check(process.returncode is None, f"the CSMS ended with {process.returncode}")
                try:
                    return (await http("GET", f"{api.url}/healthz"))[0] == 200
                except (OSError, ValueError) as error:
                    # Nothing listens yet, or the answer is text and no JSON.
                    return isinstance(error, ValueError)

            await eventually("the CSMS serves", healthy)
            yield api


@contextlib.asynccontextmanager
async def known(version):
    """A CSMS that knows the station and two tokens, and the charge point, booted."""
    async with serving() as api:
        await api.put(f"/stations/{STATION}", {"registration": "accepted", "security_profile": 0})
        await api.put("/tokens/GOOD1", {"type": "ISO14443", "status": "accepted"})
        await api.put("/tokens/BAD1", {"type": "ISO14443", "status": "blocked"})
        async with charge_point(version, api.port, STATION) as point:
            status, interval = await point.boot()
            check(status == "Accepted" and interval > 0, f"the boot was answered {status}, {interval}")
            await point.status(plugged=False)
            yield api, point
            check(not point.refusals, "; ".join(point.refusals))


async def transaction(version):
    """Authorise, start, meter, stop; the CSMS has counted what was metered."""
    async with known(version) as (api, point):
        check(await point.authorize("GOOD1") == "Accepted", "the good token was refused")
        check(await point.authorize("BAD1") == "Blocked", "the blocked token was not answered Blocked")
        check(await point.authorize("NOBODY") != "Accepted", "an unknown token was accepted")
        await point.status(plugged=True)
        check(await point.start_transaction("GOOD1") == "Accepted", "the start was refused")
        for energy in (METER_START + 100, METER_START + 2_500):
            await point.meter_values(energy)
        await point.stop_transaction("GOOD1")
        await point.status(plugged=False)

        async def stopped():
            transactions = await api.get(f"/stations/{STATION}/transactions")
            return transactions if transactions and transactions[0]["stopped_at"] else None

        transactions = await eventually("the CSMS has the transaction", stopped)
        check(len(transactions) == 1, f"the CSMS has {len(transactions)} transactions")
        kept = transactions[0]
        check(str(kept["id"]) == str(point.transaction_id), f"its id is {kept['id']}")
        check(kept["token"] == "GOOD1" and kept["stop_reason"] == "Local", f"the CSMS has {kept}")
        check(Decimal(str(kept["energy_wh"])) == METER_STOP - METER_START, f"its energy is {kept['energy_wh']}")


async def reset(version):
    """Calls that an operator sends."""
    async with known(version) as (api, point):
        status, answer = await api.call("Reset", point.reset)
        expected = {"result": {"status": "Accepted" if version == "1.6" else "Scheduled"}}
        check((status, answer) == (200, expected), f"Reset was answered {status} {answer}")
        check(point.payloads("Reset") == [point.reset], f"the charge point got {point.payloads('Reset')}")
        status, answer = await api.call("Reset", point.broken_reset)
        check(status == 422, f"a Reset that breaks the schema was answered {status} {answer}")
        check(len(point.payloads("Reset")) == 1, "a Reset that breaks the schema was sent")
        action, payload = point.remote_start
        status, answer = await api.call(action, payload)
        check((status, answer) == (200, {"result": {"status": "Rejected"}}), f"{action} was answered {status} {answer}")
        if version == "2.1":
            # Without a handler the package doesn't answer a call of 2.1 at all.
            return
        # The charge point has no handler for it and says so; the CSMS hands the error on.
        status, answer = await api.call("ClearCache", {})
        error = (answer or {}).get("error", {})
        check((status, error.get("code")) == (200, "NotImplemented"), f"ClearCache was answered {status} {answer}")
        check(len(point.refusals) == 1, f"the charge point refused {point.refusals}")
        point.refusals.clear()


async def passwords():
    """A station with a password is let in with it only."""
    async with serving() as api:
        await api.put(
            f"/stations/{STATION}", {"registration": "accepted", "security_profile": 1, "password": PASSWORD}
        )
        try:
            async with charge_point("2.0.1", api.port, STATION, "another-password-1234"):
                check(False, "a wrong password was let in")
        except InvalidStatus as refused:
            check(refused.response.status_code == 401, f"a wrong password got {refused.response.status_code}")
        async with charge_point("2.0.1", api.port, STATION, PASSWORD) as point:
            status, _ = await point.boot()
            check(status == "Accepted", f"the boot was answered {status}")


def scenarios():
    """Each with its name."""
    for version in VERSIONS:
        peer = f"a charge point of {version} against ocpp-csms"
        yield f"{peer}: authorise, a transaction, meter values", functools.partial(transaction, version)
        yield f"{peer}: Reset and other calls", functools.partial(reset, version)
    yield "a charge point with a password against ocpp-csms", passwords
