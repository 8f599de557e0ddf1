"""`gateway-keys`: make, list and revoke keys, through storage-service; only a key's hash is ever sent there."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gateway.key_client import KeyClient
from gateway.keys import make_key, sha256_of
from gateway.settings import GatewaySettings
from shared.deadline import Deadline
from shared.errors import NotFound, ServiceError
from shared.http_client import ServiceClient, open_http
from shared.key_contracts import MAX_KEY_NAME, SCOPES, KeyRecord, NewKey

ANSWER_TIMEOUT_S = 15.0
EPILOG = """examples:
  KEY=$(gateway-keys new --name laptop --scope write)     # printed once; nobody can read it again
  curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8000/api/v1/labels
  gateway-keys new --name guest --scope read --days 30
  gateway-keys list
  gateway-keys revoke 3f2a9c0d11e4
  gateway-keys generate > secrets/admin_key               # for GATEWAY_ADMIN_KEY_FILE

scopes: read looks; write also adds, corrects and deletes images; admin also re-runs models and takes back their words.
GATEWAY_STORAGE_URL and LEGENDA_INTERNAL_TOKEN say where storage-service is and what it asks for."""

Answer = TypeVar("Answer")


def main() -> None:
    """Do what the command line says."""
    options = _parser().parse_args()
    if options.command == "generate":
        sys.stdout.write(f"{make_key()[1]}\n")
        return
    do = {"new": _new, "list": _list, "revoke": _revoke}[options.command]
    try:
        do(options, GatewaySettings())
    except ServiceError as error:
        sys.exit(f"gateway-keys: {error.detail}")


def _new(options: argparse.Namespace, settings: GatewaySettings) -> None:
    key_id, key = make_key()
    expires_at = datetime.now(UTC) + timedelta(days=options.days) if options.days else None
    new = NewKey(id=key_id, sha256=sha256_of(key), name=options.name, scope=options.scope, expires_at=expires_at)
    _ask(settings, lambda keys, deadline: keys.add(new, deadline=deadline))
    sys.stderr.write(f"Key {key_id} may {options.scope}. It is shown this once:\n")
    sys.stdout.write(f"{key}\n")


def _list(_: argparse.Namespace, settings: GatewaySettings) -> None:
    records = _ask(settings, lambda keys, deadline: keys.all(deadline=deadline))
    if not records:
        sys.stderr.write("There are no keys. Make one: gateway-keys new --name laptop --scope write\n")
        return
    rows = [("ID", "SCOPE", "STATE", "CREATED", "LAST USED", "NAME"), *map(_row, records)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _revoke(options: argparse.Namespace, settings: GatewaySettings) -> None:
    try:
        record = _ask(settings, lambda keys, deadline: keys.revoke(options.id, deadline=deadline))
    except ServiceError as error:
        if error.status not in {NotFound.status, 422}:
            raise
        sys.exit(f"gateway-keys: there is no key {options.id}; gateway-keys list shows all")
    forgotten_s = settings.key_cache_s
    sys.stdout.write(f"Key {record.id} ({record.name}) counts no more; each gateway knows within {forgotten_s:g} s.\n")


def _ask(settings: GatewaySettings, question: Callable[[KeyClient, Deadline], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        async with open_http(settings.storage_url, connections=1, token=settings.shown_token) as http:
            return await question(KeyClient(ServiceClient("storage", http)), Deadline.after(ANSWER_TIMEOUT_S))

    return asyncio.run(ask())


def _row(key: KeyRecord) -> tuple[str, ...]:
    return (key.id, key.scope, _state(key), _day(key.created_at), _minute(key.last_used_at), key.name)


def _state(key: KeyRecord) -> str:
    if key.revoked_at:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "counts"
    is_over = key.expires_at <= datetime.now(UTC)
    return f"{'expired' if is_over else 'until'} {_day(key.expires_at)}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _minute(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else "never"


def _name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= MAX_KEY_NAME or not name.isprintable():
        raise argparse.ArgumentTypeError(f"a name has 1 to {MAX_KEY_NAME} letters that can be printed")
    return name


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 36_500):
        raise argparse.ArgumentTypeError("a whole number of days from 1 to 36500")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gateway-keys",
        description="Make, list and revoke the keys that the gateway asks for.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="new | list | revoke | generate")
    new = commands.add_parser("new", help="make a key and print it, once")
    new.add_argument("--name", required=True, type=_name, help="whose it is, for the list")
    new.add_argument("--scope", required=True, choices=SCOPES, help="what it may do")
    new.add_argument("--days", type=_days, help="it ends so many days from now (default: never)")
    commands.add_parser("list", help="list all keys, without the secrets, which nobody has")
    revoke = commands.add_parser("revoke", help="let a key not count from now on")
    revoke.add_argument("id", help="the ID of the list")
    commands.add_parser("generate", help="print a key that is kept nowhere, for GATEWAY_ADMIN_KEY_FILE")
    return parser


if __name__ == "__main__":
    main()
