"""What `make run` learns from its supervisor."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xmlrpc.client import ServerProxy
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

from supervisor.xmlrpc import SupervisorTransport

from gateway.launch import _states


class _Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/RPC2",)
    disable_nagle_algorithm = False  # a Unix socket has none

    def log_request(self, *_: object) -> None:
        pass


class _Supervisor(socketserver.UnixStreamServer, SimpleXMLRPCDispatcher):
    def __init__(self, place: str) -> None:
        SimpleXMLRPCDispatcher.__init__(self)
        socketserver.UnixStreamServer.__init__(self, place, _Handler)
        self.register_function(lambda: [{"name": "caption", "statename": "EXITED"}], "supervisor.getAllProcessInfo")


@contextmanager
def _answering(place: str) -> Iterator[None]:
    with _Supervisor(place) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_a_supervisor_that_is_asked_before_it_is_up_is_heard_later(tmp_path: Path) -> None:
    place = str(tmp_path / "s.sock")
    proxy = ServerProxy("http://localhost", transport=SupervisorTransport(serverurl=f"unix://{place}"))
    assert _states(proxy) == {}
    with _answering(place):
        assert _states(proxy)["caption"]["statename"] == "EXITED"
        proxy("close")()
