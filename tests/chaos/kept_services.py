"""The four services as processes that are started again whenever they die, unless a test holds one back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

MODULES = {
    "storage": "storage_service",
    "caption": "caption_service",
    "classify": "classify_service",
    "gateway": "gateway",
}
RESTART_PAUSE_S = 0.5
STOP_TIMEOUT_S = 30.0


class KeptService:
    """One service; a thread starts it again when it has died."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log_file = folder / f"{name}.log"
        self.starts = 0
        self._folder = folder
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = threading.Event()
        self._ending = threading.Event()
        self._keeper = threading.Thread(target=self._keep)

    @property
    def pid(self) -> int:
        """The running process; raises AssertionError when there is none."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._wanted.set()
        self._keeper.start()

    def kill(self) -> None:
        """End it as the kernel does when memory runs out; it is started again."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def hold_back(self) -> None:
        """Do not start it again once it has died."""
        self._wanted.clear()

    def let_go(self) -> None:
        self._wanted.set()

    def stop(self) -> None:
        """Stop it as an operator does, for good."""
        self._wanted.clear()
        self._ending.set()
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        self._keeper.join(STOP_TIMEOUT_S)
        if self._keeper.is_alive():
            self._signal(signal.SIGKILL)
            self._keeper.join()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _keep(self) -> None:
        while not self._ending.is_set():
            if not self._wanted.wait(RESTART_PAUSE_S):
                continue
            with self.log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", MODULES[self.name]],
                    cwd=self._folder,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                )
            self.starts += 1
            self._process.wait()
            time.sleep(RESTART_PAUSE_S)


@contextmanager
def kept_services(folder: Path, environment: Mapping[str, str]) -> Iterator[dict[str, KeptService]]:
    """Run all four; at the end stop the gateway first and storage last."""
    services = {name: KeptService(name, folder, environment) for name in MODULES}
    with ExitStack() as stack:
        for service in services.values():
            service.start()
            stack.callback(service.stop)
        yield services
