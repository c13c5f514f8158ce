"""The charge points of the `ocpp` package, one a version, with the same verbs."""

import asyncio
import base64
import contextlib
import datetime

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call as call21
from ocpp.v21 import call_result as result21
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from harness import check, recording

METER_START = 1_000
METER_STOP = 8_400


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Point16(recording(ChargePoint16)):
    """A charge point of 1.6."""

    version = "1.6"
    remote_start = ("RemoteStartTransaction", {"idTag": "REMOTE1", "connectorId": 1})
    reset = {"type": "Soft"}
    broken_reset = {"type": "Softly"}

    @on("Reset")
    def on_reset(self, **_):
        return result16.Reset(status="Accepted")

    @on("RemoteStartTransaction")
    def on_remote_start(self, **_):
        return result16.RemoteStartTransaction(status="Rejected")

    @on("GetConfiguration")
    def on_get_configuration(self, **_):
        return result16.GetConfiguration(configuration_key=[], unknown_key=[])

    @on("ChangeConfiguration")
    def on_change_configuration(self, **_):
        return result16.ChangeConfiguration(status="NotSupported")

    @on("TriggerMessage")
    def on_trigger(self, **_):
        return result16.TriggerMessage(status="NotImplemented")

    async def boot(self):
        answer = await self.call_peer(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        return answer.status, answer.interval

    async def status(self, plugged):
        status = "Preparing" if plugged else "Available"
        await self.call_peer(call16.StatusNotification(connector_id=1, error_code="NoError", status=status))

    async def authorize(self, token):
        return (await self.call_peer(call16.Authorize(id_tag=token))).id_tag_info["status"]

    async def start_transaction(self, token):
        request = call16.StartTransaction(connector_id=1, id_tag=token, meter_start=METER_START, timestamp=now())
        answer = await self.call_peer(request)
        self.transaction_id = answer.transaction_id
        return answer.id_tag_info["status"]

    async def meter_values(self, energy):
        sample = {"value": str(energy), "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register"}
        value = {"timestamp": now(), "sampled_value": [sample | {"unit": "Wh"}]}
        request = call16.MeterValues(connector_id=1, transaction_id=self.transaction_id, meter_value=[value])
        await self.call_peer(request)

    async def stop_transaction(self, token):
        request = call16.StopTransaction(
            transaction_id=self.transaction_id, meter_stop=METER_STOP, timestamp=now(), id_tag=token, reason="Local"
        )
        await self.call_peer(request)


def point_2(charge_point, call, result):
    """The same for 2.0.1 and 2.1, which ask alike."""

    class Point2(recording(charge_point)):
        remote_start = (
            "RequestStartTransaction",
            {"idToken": {"idToken": "REMOTE1", "type": "Central"}, "remoteStartId": 5, "evseId": 1},
        )
        reset = {"type": "OnIdle"}
        broken_reset = {"type": "Softly"}

        @on("Reset")
        def on_reset(self, **_):
            return result.Reset(status="Scheduled")

        @on("RequestStartTransaction")
        def on_remote_start(self, **_):
            return result.RequestStartTransaction(status="Rejected")

        @on("GetBaseReport")
        def on_base_report(self, **_):
            return result.GetBaseReport(status="NotSupported")

        @on("SetVariables")
        def on_set_variables(self, set_variable_data, **_):
            results = [
                {"attribute_status": "UnknownComponent", "component": data["component"], "variable": data["variable"]}
                for data in set_variable_data
            ]
            return result.SetVariables(set_variable_result=results)

        async def boot(self):
            station = {"model": "M", "vendor_name": "V"}
            answer = await self.call_peer(call.BootNotification(charging_station=station, reason="PowerUp"))
            return answer.status, answer.interval

        async def status(self, plugged):
            status = "Occupied" if plugged else "Available"
            request = call.StatusNotification(timestamp=now(), connector_status=status, evse_id=1, connector_id=1)
            await self.call_peer(request)

        async def authorize(self, token):
            answer = await self.call_peer(call.Authorize(id_token={"id_token": token, "type": "ISO14443"}))
            return answer.id_token_info["status"]

        async def event(self, kind, trigger, energy, context, info=None, token=None):
            value = {"value": energy, "context": context, "measurand": "Energy.Active.Import.Register"}
            request = call.TransactionEvent(
                event_type=kind,
                timestamp=now(),
                trigger_reason=trigger,
                seq_no=self.seq_no,
                transaction_info={"transaction_id": self.transaction_id} | (info or {}),
                evse={"id": 1, "connector_id": 1},
                id_token=token and {"id_token": token, "type": "ISO14443"},
                meter_value=[{"timestamp": now(), "sampled_value": [value]}],
            )
            self.seq_no += 1
            return await self.call_peer(request)

        async def start_transaction(self, token):
            self.transaction_id = f"interop-{self.version}"
            self.seq_no = 0
            info = {"charging_state": "Charging"}
            answer = await self.event("Started", "Authorized", METER_START, "Transaction.Begin", info, token)
            return answer.id_token_info["status"]

        async def meter_values(self, energy):
            await self.event("Updated", "MeterValuePeriodic", energy, "Sample.Periodic")

        async def stop_transaction(self, token):
            info = {"stopped_reason": "Local"}
            await self.event("Ended", "StopAuthorized", METER_STOP, "Transaction.End", info, token)

    return Point2


class Point201(point_2(ChargePoint201, call201, result201)):
    version = "2.0.1"


class Point21(point_2(ChargePoint21, call21, result21)):
    version = "2.1"


POINTS = {"1.6": Point16, "2.0.1": Point201, "2.1": Point21}


@contextlib.asynccontextmanager
async def charge_point(version, port, station, password=None):
    """A charge point that is connected."""
    headers = {}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{station}:{password}".encode()).decode()
    url = f"ws://127.0.0.1:{port}/ocpp/{station}"
    async with connect(url, subprotocols=[f"ocpp{version}"], additional_headers=headers) as connection:
        check(connection.subprotocol == f"ocpp{version}", f"the sub-protocol is {connection.subprotocol}")
        point = POINTS[version](station, connection)

        async def listen():
            with contextlib.suppress(ConnectionClosed):
                await point.start()

        listening = asyncio.create_task(listen())
        try:
            yield point
        finally:
            listening.cancel()
