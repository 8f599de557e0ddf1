"""What every service reads from its environment.

The environment wins over the `.env` file; unknown variables of other services in the same file are passed over.
"""

from __future__ import annotations

from pydantic import Field, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = "127.0.0.1"


class ServiceSettings(BaseSettings):
    """The settings that all services share; each subclass sets its own prefix."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    host: str = Field(default=LOOPBACK, description="Address to listen on.")
    port: PositiveInt = Field(description="Port to listen on.")
    log_level: str = Field(default="info", description="debug, info, warning or error.")


def service_config(prefix: str) -> SettingsConfigDict:
    """Return the configuration of a settings class whose variables start with `prefix`."""
    return SettingsConfigDict(env_prefix=prefix, env_file=".env", extra="ignore")
