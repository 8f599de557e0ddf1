"""What every service reads from its environment.

The environment wins over the `.env` file; unknown variables of other services in the same file are passed over.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings_help import wrong_setting

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65_535
START_FAILED_EXIT_CODE = 3


_TOKEN = re.compile(r"[!-~]{32,}")
"""Long enough that nobody guesses it, and of letters that a header can carry."""


def _lower(level: object) -> object:
    return level.lower() if isinstance(level, str) else level


def _service_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("http:// or https:// and a host")
    return url


def _secret(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value() and not _TOKEN.fullmatch(secret.get_secret_value()):
        raise ValueError("at least 32 letters, digits and signs, without spaces")
    return secret


def _secret_file(file: str) -> str:
    if file:
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise ValueError("a file that this user can read") from error
        if not _TOKEN.fullmatch(text):
            raise ValueError("a file with one secret: at least 32 letters, digits and signs, without spaces")
    return file


def _lock_file(file: str) -> str:
    if file:
        try:
            Path(file).open("a", encoding="utf-8").close()
        except OSError as error:
            raise ValueError("a file that this user can write, in a folder that exists") from error
    return file


Secret = Annotated[SecretStr, AfterValidator(_secret)]
SecretFile = Annotated[str, AfterValidator(_secret_file)]
LockFile = Annotated[str, AfterValidator(_lock_file)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
ServiceUrl = Annotated[str, AfterValidator(_service_url)]


class ServiceSettings(BaseSettings):
    """The settings that all services share; each subclass sets its own prefix.

    Where they are wrong the process ends with one sentence and START_FAILED_EXIT_CODE: whoever reads settings can do
    nothing without them. A validator's message says what a value must be, not what is wrong: `http:// and a host`.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    host: str = Field(default=LOOPBACK, min_length=1, description="Address to listen on.")
    port: PositiveInt = Field(description="Port to listen on.")
    log_level: LogLevel = Field(
        default="info", description="Least serious events logged: debug, info, warning or error."
    )
    shutdown_timeout_s: PositiveFloat = Field(
        default=10.0, description="Seconds from SIGTERM until the process has ended, whatever is under way."
    )
    internal_token: Secret = Field(
        default=SecretStr(""),
        validation_alias="LEGENDA_INTERNAL_TOKEN",
        description="What Legenda's services show each other, the same for all; empty: they ask for nothing.",
    )
    internal_token_file: SecretFile = Field(
        default="",
        validation_alias="LEGENDA_INTERNAL_TOKEN_FILE",
        description="File that holds LEGENDA_INTERNAL_TOKEN instead.",
    )

    @property
    def shown_token(self) -> str:
        """What our services show each other; empty where they ask for nothing."""
        return self.internal_token.get_secret_value() or secret_in(self.internal_token_file)

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_exposed(self) -> bool:
        """Whether other machines may reach the service, and it asks for nothing."""
        return not self.is_on_loopback and not self.shown_token

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            prefix = str(self.model_config["env_prefix"])
            service = prefix.strip("_").lower()
            sys.stderr.write(f"{service} cannot start: {wrong_setting(type(self), error.errors()[0])}.\n")
            sys.exit(START_FAILED_EXIT_CODE)

    @field_validator("port")
    @classmethod
    def _is_a_port(cls, port: int) -> int:
        if port > HIGHEST_PORT:
            raise ValueError(f"a whole number from 1 to {HIGHEST_PORT}")
        return port


def service_config(prefix: str) -> SettingsConfigDict:
    """Return the configuration of a settings class whose variables start with `prefix`."""
    return SettingsConfigDict(env_prefix=prefix, env_file=".env", extra="ignore", populate_by_name=True)


def secret_in(file: str) -> str:
    """Return the secret that a checked file holds; empty without a file."""
    return Path(file).read_text(encoding="ascii").strip() if file else ""
