"""Find or start the MySQL that tests run on: the server that LEGENDA_TEST_MYSQL_URL names, else one of this machine's.

A server that is started here is thrown away afterwards: a folder of its own, a free port, nobody's rights where we are
root (mysqld refuses root), and nothing that waits for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.live_platform import free_ports

URL_VARIABLE = "LEGENDA_TEST_MYSQL_URL"
PROGRAMS = ("mysqld", "mariadbd")
PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")  # where PATH often does not lead
PREPARE_TIMEOUT_S = 120.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
POLL_S = 0.05

ACCOUNT = """
CREATE USER 'legenda'@'127.0.0.1' IDENTIFIED BY 'legenda';
GRANT ALL ON *.* TO 'legenda'@'127.0.0.1' WITH GRANT OPTION;
"""
QUICK = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-buffer-pool-size=64M",
    "--performance-schema=OFF",
    "--skip-log-bin",
    "--max-connections=200",
)
MYSQL_ONLY = (
    "--mysqlx=OFF",
    "--secure-file-priv=NULL",
)  # no second port, no folder that only a package's user may enter


class NoServer(Exception):
    """There is no MySQL to test on; the message says why, and what to do."""


@dataclass(frozen=True)
class MySqlServer:
    """A server to make databases on, and where it comes from."""

    url: str
    origin: str


@contextmanager
def mysql_server() -> Iterator[MySqlServer]:
    """Hand out the server that the environment names, or one that is started here and stopped at the end.

    Raises:
        NoServer: there is none, or it does not start.
    """
    if url := os.environ.get(URL_VARIABLE):
        yield MySqlServer(url, f"named by {URL_VARIABLE}")
        return
    program = installed_program()
    if program is None:
        raise NoServer(f"neither {' nor '.join(PROGRAMS)} is installed, and {URL_VARIABLE} names no server")
    with _data_folder() as folder, started(program, folder) as server:
        yield server


def installed_program() -> Path | None:
    """Return this machine's server, MySQL before MariaDB."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES])
    for program in PROGRAMS:
        if found := shutil.which(program, path=path):
            return Path(found)
    return None


def version_of(server: MySqlServer) -> str:
    """Ask a server what it is: `MySQL 8.4.3`, `MariaDB 10.11.19`."""

    async def ask() -> str:
        engine = create_async_engine(server.url, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                return str(await connection.scalar(text("SELECT VERSION()")))
        finally:
            await engine.dispose()

    with ThreadPoolExecutor(1) as thread:  # a test's event loop may be there already
        version = thread.submit(asyncio.run, ask()).result()
    return f"{'MariaDB' if 'MariaDB' in version else 'MySQL'} {version.partition('-')[0]}"


@contextmanager
def started(program: Path, folder: Path) -> Iterator[MySqlServer]:
    """Run a server on an empty folder, as whoever owns it; raise NoServer."""
    version = _run([str(program), "--no-defaults", "--version"], folder)
    data, log = folder / "data", folder / "server.log"
    is_mariadb = "mariadb" in version.lower()
    _make_data(program, data, folder, is_mariadb=is_mariadb)
    (folder / "account.sql").write_text(ACCOUNT, encoding="utf-8")
    [port] = free_ports(1)
    command = [
        str(program),
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={folder / 's.sock'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--init-file={folder / 'account.sql'}",
        f"--pid-file={folder / 'server.pid'}",
        *QUICK,
        *([] if is_mariadb else MYSQL_ONLY),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, **_as_owner_of(folder))
    try:
        _wait_until_ready(process, log)
        yield MySqlServer(f"mysql+asyncmy://legenda:legenda@127.0.0.1:{port}/mysql", f"started from {program}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _data_folder() -> Iterator[Path]:
    """Make a folder below /tmp that its server may enter, whatever the umask; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="legenda-mysql-"))
    try:
        if os.geteuid() == 0:
            owner = _unprivileged()
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("mysql", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("MySQL does not run as root, and this machine has neither a user mysql nor nobody")


def _as_owner_of(folder: Path) -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    owner = folder.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def _make_data(program: Path, data: Path, folder: Path, *, is_mariadb: bool) -> None:
    if not is_mariadb:
        _run([str(program), "--no-defaults", "--initialize-insecure", f"--datadir={data}"], folder)
        return
    installer = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db")
    if installer is None:
        raise NoServer(f"{program} is installed, but mariadb-install-db, which makes its data folder, is not")
    options = ["--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    _run([installer, *options], folder)


def _run(command: Sequence[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=PREPARE_TIMEOUT_S,
            **_as_owner_of(folder),  # type: ignore[call-overload]
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoServer(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        raise NoServer(f"{command[0]} failed: {_reason(done.stdout)}")
    return str(done.stdout)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while not re.search(r"ready for connections.*port: [1-9]", _told(log), re.DOTALL):
        if process.poll() is not None:
            raise NoServer(f"{process.args[0]} does not start: {_reason(_told(log))}")  # type: ignore[index]
        if time.monotonic() > give_up:
            raise NoServer(f"{process.args[0]} did not start within {START_TIMEOUT_S:.0f} s")  # type: ignore[index]
        time.sleep(POLL_S)


def _told(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _reason(text: str) -> str:
    lines = text.strip().splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines[-1:] or ["it says nothing"])[0]
