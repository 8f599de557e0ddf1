"""What every service reads from its environment.

The environment wins over the `.env` file; unknown variables of other services in the same file are passed over.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings_help import wrong_setting

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65_535
START_FAILED_EXIT_CODE = 3


def _lower(level: object) -> object:
    return level.lower() if isinstance(level, str) else level


def _service_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("http:// or https:// and a host")
    return url


LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
ServiceUrl = Annotated[str, AfterValidator(_service_url)]


class ServiceSettings(BaseSettings):
    """The settings that all services share; each subclass sets its own prefix.

    Where they are wrong the process ends with one sentence and START_FAILED_EXIT_CODE: whoever reads settings can do
    nothing without them. A validator's message says what a value must be, not what is wrong: `http:// and a host`.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    host: str = Field(default=LOOPBACK, min_length=1, description="Address to listen on.")
    port: PositiveInt = Field(description="Port to listen on.")
    log_level: LogLevel = Field(
        default="info", description="Least serious events logged: debug, info, warning or error."
    )
    shutdown_timeout_s: PositiveFloat = Field(
        default=10.0, description="Seconds from SIGTERM until the process has ended, whatever is under way."
    )

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
    return SettingsConfigDict(env_prefix=prefix, env_file=".env", extra="ignore")
