"""Say in words what the settings of a service are, and which one is wrong; all of it is read from their class."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

_BOUNDS: dict[type, tuple[str, str]] = {
    Gt: ("above", "gt"),
    Ge: ("of at least", "ge"),
    Lt: ("below", "lt"),
    Le: ("of at most", "le"),
}


def answer_help(package: str, about: str, settings: type[BaseSettings]) -> None:
    """Read the command line, which has nothing but `--help`: print what the service does and its settings, and exit.

    Args:
        package: What `python -m` starts.
        about: What the service does, in one sentence.
        settings: The class of its settings.
    """
    lines = ["settings, from the environment or else from .env in the current folder:"]
    for variable, field in variables(settings):
        lines += [f"  {variable} (default: {default_of(field)})", f"      {field.description}"]
    parser = argparse.ArgumentParser(
        prog=f"python -m {package}",
        description=about,
        epilog="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield each setting's environment variable and field; one without a description has that of the base class."""
    for name, field in settings.model_fields.items():
        classes = [base for base in settings.__mro__ if issubclass(base, BaseSettings) and name in base.model_fields]
        described = next((text for base in classes if (text := base.model_fields[name].description)), None)
        yield _variable(settings, name), FieldInfo.merge_field_infos(field, description=described)


def default_of(field: FieldInfo) -> str:
    """Return a default as it would be written into `.env`; `none, it must be set` where there is none."""
    if field.is_required():
        return "none, it must be set"
    return str(field.get_default(call_default_factory=True, validated_data={}))


def wrong_setting(settings: type[BaseSettings], error: Mapping[str, Any]) -> str:
    """Say in one sentence, without its full stop, which variable is wrong and what it must be.

    Args:
        settings: The class that could not be made.
        error: One of pydantic's errors.
    """
    place = str(error["loc"][0])  # the field's name, or the variable where several services share it
    name = next(name for name in settings.model_fields if place in {name, _variable(settings, name)})
    variable = _variable(settings, name)
    if error["type"] == "missing":
        return f"{variable} is not set; it must be {_expected(settings.model_fields[name])}"
    said_by_validator = error.get("ctx", {}).get("error")
    expected = str(said_by_validator or _expected(settings.model_fields[name]))
    if settings.model_fields[name].annotation is SecretStr:  # which is nobody's to read
        return f"{variable} must be {expected}"
    return f"{variable} is {str(error['input'])!r}, but must be {expected}"


def _variable(settings: type[BaseSettings], name: str) -> str:
    shared_by_services = settings.model_fields[name].validation_alias
    return str(shared_by_services or f"{settings.model_config['env_prefix']}{name}".upper())


def _expected(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is Literal:
        *others, last = map(str, get_args(kind))
        return f"{', '.join(others)} or {last}"
    if kind in {int, float}:
        bounds = [
            f"{word} {getattr(bound, attribute)}"
            for bound in field.metadata
            for word, attribute in [_BOUNDS.get(type(bound), ("", ""))]
            if word
        ]
        return " ".join(["a whole number" if kind is int else "a number", " and ".join(bounds)]).strip()
    return "a path" if kind is Path else "some text"
