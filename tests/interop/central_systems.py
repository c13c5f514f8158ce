"""The central systems of the `ocpp` package, one a version, with the answers that an accepting operator gives."""

import base64
import contextlib
import datetime
import http as http_status
import urllib.parse

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
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from harness import eventually, recording

BLOCKED = "BADCARD"
PASSWORD = "a-password-of-20-chars"


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def identity(request) -> str:
    """Who the station is: the last segment of the path."""
    return urllib.parse.unquote(request.path.rsplit("/", 1)[-1])


def verdict(token: str) -> str:
    return "Blocked" if token == BLOCKED else "Accepted"


class Station16(recording(ChargePoint16)):
    """A station as the central system of 1.6 sees it."""

    version = "1.6"
    requests = call16

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.transaction_ids = iter(range(1001, 2000))

    @on("BootNotification")
    def boot(self, **_):
        return result16.BootNotification(current_time=now(), interval=60, status="Accepted")

    @on("Heartbeat")
    def heartbeat(self, **_):
        return result16.Heartbeat(current_time=now())

    @on("StatusNotification")
    def status(self, **_):
        return result16.StatusNotification()

    @on("Authorize")
    def authorize(self, id_tag, **_):
        return result16.Authorize(id_tag_info={"status": verdict(id_tag)})

    @on("StartTransaction")
    def start_transaction(self, id_tag, **_):
        return result16.StartTransaction(
            transaction_id=next(self.transaction_ids), id_tag_info={"status": verdict(id_tag)}
        )

    @on("MeterValues")
    def meter_values(self, **_):
        return result16.MeterValues()

    @on("StopTransaction")
    def stop_transaction(self, **_):
        return result16.StopTransaction()

    @on("SecurityEventNotification")
    def security_event(self, **_):
        return result16.SecurityEventNotification()


def station_2(charge_point, result):
    """The same for 2.0.1 and 2.1, which answer alike."""

    class Station2(recording(charge_point)):
        @on("BootNotification")
        def boot(self, **_):
            return result.BootNotification(current_time=now(), interval=60, status="Accepted")

        @on("Heartbeat")
        def heartbeat(self, **_):
            return result.Heartbeat(current_time=now())

        @on("StatusNotification")
        def status(self, **_):
            return result.StatusNotification()

        @on("NotifyEvent")
        def event(self, **_):
            return result.NotifyEvent()

        @on("SecurityEventNotification")
        def security_event(self, **_):
            return result.SecurityEventNotification()

        @on("Authorize")
        def authorize(self, id_token, **_):
            return result.Authorize(id_token_info={"status": verdict(id_token["id_token"])})

        @on("MeterValues")
        def meter_values(self, **_):
            return result.MeterValues()

        @on("TransactionEvent")
        def transaction_event(self, id_token=None, **_):
            if id_token is None:
                return result.TransactionEvent()
            return result.TransactionEvent(id_token_info={"status": verdict(id_token["id_token"])})

    return Station2


class Station201(station_2(ChargePoint201, result201)):
    version = "2.0.1"
    requests = call201


class Station21(station_2(ChargePoint21, result21)):
    version = "2.1"
    requests = call21


STATIONS = {"1.6": Station16, "2.0.1": Station201, "2.1": Station21}


class CentralSystem:
    """Listens on loopback, and keeps every station that connected, newest last."""

    def __init__(self, versions, password=None):
        self.subprotocols = [f"ocpp{version}" for version in versions]
        self.password = password
        self.stations = []
        self.paths = []
        self.refused = 0
        self.port = None

    @property
    def station(self):
        return self.stations[-1]

    async def connected(self, count: int = 1):
        """Waits until a station has connected that often."""
        await eventually(f"connection number {count}", lambda: len(self.stations) >= count)
        return self.station

    def process_request(self, connection, request):
        if self.password is None:
            return None
        station = identity(request)
        expected = base64.b64encode(f"{station}:{self.password}".encode()).decode()
        if request.headers.get("Authorization") == f"Basic {expected}":
            return None
        self.refused += 1
        return connection.respond(http_status.HTTPStatus.UNAUTHORIZED, "wrong password\n")

    async def serve_station(self, connection):
        version = connection.subprotocol.removeprefix("ocpp")
        self.paths.append(connection.request.path)
        station = STATIONS[version](identity(connection.request), connection)
        self.stations.append(station)
        with contextlib.suppress(ConnectionClosed):
            await station.start()

    @contextlib.asynccontextmanager
    async def listening(self):
        async with serve(
            self.serve_station,
            "127.0.0.1",
            0,
            subprotocols=self.subprotocols,
            process_request=self.process_request,
        ) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
