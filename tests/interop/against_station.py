"""`ocpp-cp run` against the central systems of the `ocpp` package, driven through `--control`."""

import contextlib
import functools
import os

from central_systems import BLOCKED, PASSWORD, CentralSystem
from harness import check, eventually, http, line_with, program

STATION = os.environ.get("OCPP_CP", "target/debug/ocpp-cp")
VERSIONS = ["1.6", "2.0.1", "2.1"]
TOKEN = "04A2B3C4"


class Control:
    """The control interface of a running station."""

    def __init__(self, url):
        self.url = url

    async def state(self):
        status, state = await http("GET", f"{self.url}/state")
        check(status == 200, f"GET /state answered {status}")
        return state

    async def do(self, path, body=None):
        status, answer = await http("POST", self.url + path, body or {})
        check(status == 200, f"POST {path} answered {status} {answer}")
        return answer

    async def evse(self):
        return (await self.state())["evses"][0]

    async def until(self, description, condition):
        """Waits until the condition holds for the state of the first EVSE, and gives that."""

        async def probe():
            evse = await self.evse()
            return evse if condition(evse) else None

        return await eventually(description, probe)


@contextlib.asynccontextmanager
async def connected(version, offered=None, password=None):
    """A central system and a station that has booted at it. Nothing may have been refused in the end."""
    async with CentralSystem([version], password).listening() as csms:
        command = [STATION, "run", "--csms", f"ws://127.0.0.1:{csms.port}/ocpp", "--id", "CP 1"]
        command += ["--version", offered or version, "--evses", "1", "--connectors", "1"]
        command += ["--control", "127.0.0.1:0", "--speed", "600"]
        if password is not None:
            command += ["--password", password]
        async with program(*command) as process:
            control = Control((await line_with(process, "control http://")).removeprefix("control "))
            await csms.connected()
            await eventually("boot accepted", lambda: accepted(control))
            yield csms, control
        for station in csms.stations:
            check(not station.refusals, "; ".join(station.refusals))


async def accepted(control):
    state = await control.state()
    return state["connected"] and state["registration"] == "Accepted"


async def sample_every_second(station):
    """Has the station send meter values each second."""
    if station.version == "1.6":
        request = station.requests.ChangeConfiguration(key="MeterValueSampleInterval", value="1")
        answer = await station.call_peer(request)
        check(answer.status == "Accepted", f"ChangeConfiguration was answered {answer.status}")
    else:
        data = {
            "attribute_value": "1",
            "component": {"name": "SampledDataCtrlr"},
            "variable": {"name": "TxUpdatedInterval"},
        }
        answer = await station.call_peer(station.requests.SetVariables(set_variable_data=[data]))
        status = answer.set_variable_result[0]["attribute_status"]
        check(status == "Accepted", f"SetVariables was answered {status}")


def events(station, kind):
    """The transaction events of a kind so far, as 2.x has them."""
    return [event for event in station.payloads("TransactionEvent") if event["eventType"] == kind]


def started(station):
    return station.payloads("StartTransaction") or events(station, "Started")


def metered(station):
    """The meter values during transactions so far."""
    sampled = [event for event in events(station, "Updated") if "meterValue" in event]
    return station.payloads("MeterValues") + sampled


def ended(station):
    return station.payloads("StopTransaction") or events(station, "Ended")


def statuses(station):
    key = "status" if station.version == "1.6" else "connectorStatus"
    return [payload[key] for payload in station.payloads("StatusNotification") if payload.get("connectorId") != 0]


def energy(event, context):
    """The register of the energy in a transaction event of 2.x, in Wh."""
    for value in event.get("meterValue", []):
        for sample in value["sampledValue"]:
            measurand = sample.get("measurand", "Energy.Active.Import.Register")
            if measurand == "Energy.Active.Import.Register" and sample.get("context") == context:
                return sample["value"]
    return None


def check_transaction(stations, transaction):
    """One transaction, complete and in order, with the energy that the station's meter counted."""
    if stations[0].version == "1.6":
        starts = [payload for station in stations for payload in station.payloads("StartTransaction")]
        stops = [payload for station in stations for payload in station.payloads("StopTransaction")]
        check(len(starts) == 1 and len(stops) == 1, f"{len(starts)} starts and {len(stops)} stops")
        check(starts[0]["meterStart"] == transaction["meter_start_wh"], f"meterStart is {starts[0]['meterStart']}")
        check(stops[0]["meterStop"] == transaction["meter_stop_wh"], f"meterStop is {stops[0]['meterStop']}")
        check(stops[0]["transactionId"] == transaction["csms_id"], "the stop is of another transaction")
        return
    # An event whose answer was lost is told again under its number.
    told = list({
        event["seqNo"]: event for station in stations for event in station.payloads("TransactionEvent")
    }.values())
    kinds = [event["eventType"] for event in told]
    check(kinds.count("Started") == 1 and kinds.count("Ended") == 1, f"the events were {kinds}")
    check([event["seqNo"] for event in told] == list(range(len(told))), f"the events were numbered {told}")
    ids = {event["transactionInfo"]["transactionId"] for event in told}
    check(ids == {transaction["id"]}, f"the events were of the transactions {ids}")
    begin, end = energy(told[0], "Transaction.Begin"), energy(told[-1], "Transaction.End")
    check(begin == transaction["meter_start_wh"], f"the first register is {begin}, not {transaction['meter_start_wh']}")
    check(end == transaction["meter_stop_wh"], f"the last register is {end}, not {transaction['meter_stop_wh']}")


async def session(version, offered=None, password=None):
    """Plug in, tap, charge, tap, unplug."""
    async with connected(version, offered, password) as (csms, control):
        station = csms.station
        check(csms.paths == ["/ocpp/CP%201"], f"the station connected to {csms.paths}")
        await eventually("status Available", lambda: "Available" in statuses(station))
        await sample_every_second(station)
        await control.do("/evses/1/plug")
        await eventually("the plug is reported", lambda: statuses(station)[-1] in ("Preparing", "Occupied"))
        await control.do("/evses/1/tap", {"token": TOKEN, "type": "ISO14443"})
        await eventually("Authorize", lambda: station.payloads("Authorize"))
        await eventually("the transaction starts", lambda: started(station))
        await control.until("energy flows", lambda evse: evse["flow"] == "flowing")
        await eventually("three meter values", lambda: len(metered(station)) >= 3)
        await control.do("/evses/1/tap", {"token": TOKEN})
        await eventually("the transaction ends", lambda: ended(station))
        last = await control.until("the transaction is over", lambda evse: evse["last_transaction"])
        transaction = last["last_transaction"]
        check(transaction["energy_wh"] > 0, "nothing was charged")
        check_transaction([station], transaction)
        await control.do("/evses/1/unplug")
        await eventually("status Available again", lambda: statuses(station)[-1] == "Available")


async def blocked(version):
    """A token that the central system has blocked charges nothing."""
    async with connected(version) as (csms, control):
        await control.do("/evses/1/plug")
        await control.do("/evses/1/tap", {"token": BLOCKED})
        await eventually("Authorize", lambda: csms.station.payloads("Authorize"))
        # A second round shows that the first one is over.
        await control.do("/evses/1/tap", {"token": BLOCKED})
        await eventually("Authorize again", lambda: len(csms.station.payloads("Authorize")) >= 2)
        evse = await control.evse()
        check(not evse["permitted"] and evse["meter_wh"] == 0, f"energy flowed: {evse}")


async def remote(version):
    """The central system starts and stops."""
    async with connected(version) as (csms, control):
        station = csms.station
        await control.do("/evses/1/plug")
        if version == "1.6":
            request = station.requests.RemoteStartTransaction(id_tag=TOKEN, connector_id=1)
        else:
            token = {"id_token": TOKEN, "type": "ISO14443"}
            request = station.requests.RequestStartTransaction(id_token=token, remote_start_id=7, evse_id=1)
        answer = await station.call_peer(request)
        check(answer.status == "Accepted", f"the remote start was answered {answer.status}")
        await eventually("the transaction starts", lambda: started(station))
        evse = await control.until("energy", lambda evse: evse["meter_wh"] > 0 and evse["transaction"])
        if version == "1.6":
            evse = await control.until("the id of the transaction", lambda evse: evse["transaction"]["csms_id"])
            request = station.requests.RemoteStopTransaction(transaction_id=evse["transaction"]["csms_id"])
        else:
            request = station.requests.RequestStopTransaction(transaction_id=evse["transaction"]["id"])
        answer = await station.call_peer(request)
        check(answer.status == "Accepted", f"the remote stop was answered {answer.status}")
        await eventually("the transaction ends", lambda: ended(station))
        evse = await control.until("the transaction is over", lambda evse: evse["last_transaction"])
        check(evse["last_transaction"]["stop_reason"] == "Remote", f"the reason is {evse['last_transaction']}")
        check_transaction([station], evse["last_transaction"])


async def outage(version):
    """The network goes away during a transaction, which ends meanwhile: it is told completely afterwards."""
    async with connected(version) as (csms, control):
        await control.do("/evses/1/plug")
        await control.do("/evses/1/tap", {"token": TOKEN})
        await eventually("the transaction starts", lambda: started(csms.station))
        await control.until("energy", lambda evse: evse["meter_wh"] > 0)
        await control.do("/network", {"up": False})
        await control.do("/evses/1/tap", {"token": TOKEN})
        evse = await control.until("the transaction is over", lambda evse: evse["last_transaction"])
        await control.do("/network", {"up": True})
        await csms.connected(2)
        await eventually("the transaction ends", lambda: ended(csms.station))
        check_transaction(csms.stations, evse["last_transaction"] | await csms_id(control))


async def csms_id(control):
    """The id that the central system of 1.6 gave the last transaction."""
    return {"csms_id": (await control.evse())["last_transaction"]["csms_id"]}


async def power_cut(version):
    """The power fails during a transaction that isn't resumed: it is ended for that reason."""
    async with connected(version) as (csms, control):
        await control.do("/evses/1/plug")
        await control.do("/evses/1/tap", {"token": TOKEN})
        await eventually("the transaction starts", lambda: started(csms.station))
        await control.until("energy", lambda evse: evse["meter_wh"] > 0)
        await control.do("/power-cut", {"keep_transactions": False})
        await csms.connected(2)
        await eventually("the transaction ends", lambda: ended(csms.station))
        end = ended(csms.station)[0]
        reason = end.get("reason") or end["transactionInfo"]["stoppedReason"]
        check(reason == "PowerLoss", f"the reason is {reason}")


async def wrong_password():
    """A station with a wrong password is told so, and says what to do."""
    async with CentralSystem(["2.0.1"], PASSWORD).listening() as csms:
        command = [STATION, "run", "--csms", f"ws://127.0.0.1:{csms.port}/ocpp", "--id", "CP-2", "--version", "2.0.1"]
        command += ["--password", "another-password-1234", "--control", "127.0.0.1:0"]
        async with program(*command) as process:
            control = Control((await line_with(process, "control http://")).removeprefix("control "))

            async def refused():
                return (await control.state())["connection_error"]

            error = await eventually("the refusal shows", refused)
            check("--password" in error, f"the error is {error}")
            check(csms.refused >= 1 and not csms.stations, "the central system let the station in")


def scenarios():
    """Each with its name."""
    for version in VERSIONS:
        peer = f"ocpp-cp against a central system of {version}"
        yield f"{peer}: a session driven by control", functools.partial(session, version)
        yield f"{peer}: a blocked token charges nothing", functools.partial(blocked, version)
        yield f"{peer}: remote start and stop", functools.partial(remote, version)
        yield f"{peer}: an outage is bridged", functools.partial(outage, version)
        yield f"{peer}: a power cut ends the transaction", functools.partial(power_cut, version)
        yield f"{peer}: a session where all versions are offered", functools.partial(session, version, "auto")
    yield "ocpp-cp with a password: a session", functools.partial(session, "2.1", None, PASSWORD)
    yield "ocpp-cp with a wrong password: refused with advice", wrong_password
