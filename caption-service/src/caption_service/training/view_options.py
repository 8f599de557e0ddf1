"""What the commands that train on views are told on the command line, as far as they are told the same."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import Field, asdict, field, fields
from pathlib import Path
from typing import Any

from caption_service.settings import default_encoder
from caption_service.training.view_sets import DevSource, TrainingSource
from caption_service.training.views import ALL_VIEWS, UNMIRRORED

HELP_ENDING = """\
Each CSV has the columns image and caption, several rows an image; image is a path below its DIR. The first --dev-set
chooses the best epoch. A run that was stopped goes on when the same command is given again. Log and curve lie in the
folder beside --out that ends in -training.
"""


def number(default: Any, told: str, *, least: float = 0, most: float = math.inf) -> Any:
    """Declare a number of a recipe: it becomes an option with that help and the range that it takes."""
    return field(default=default, metadata={"help": told, "least": least, "most": most})


def view_parser(command: str, *, description: str, example: str, recipe: Any) -> argparse.ArgumentParser:
    """Return a parser for the data, the start and the end, and each number of the recipe."""
    parser = argparse.ArgumentParser(
        prog=command,
        description=description,
        epilog=f"example:\n{example}\n{HELP_ENDING}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = ("DIR", "CSV", "REPEAT")
    parser.add_argument(
        "--data-set",
        dest="training",
        action=_AddTrainingSource,
        nargs=3,
        const=ALL_VIEWS,
        metavar=source,
        help="images, their captions, and how often an epoch shows them; may be given several times",
    )
    parser.add_argument(
        "--unmirrored",
        dest="training",
        action=_AddTrainingSource,
        nargs=3,
        const=UNMIRRORED,
        metavar=source,
        help="the same for pictures with writing, which are never shown mirrored",
    )
    parser.add_argument(
        "--dev-set",
        dest="dev",
        action=_AddDevSource,
        nargs=3,
        metavar=("NAME", "DIR", "CSV"),
        help="images and captions to score on, and their name in the log; may be given several times",
    )
    parser.add_argument("--start-from", type=Path, required=True, metavar="DIR", help="model to go on from")
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="that model's encoder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the model to write")
    parser.add_argument(
        "--cache", type=Path, default=Path(".data/features"), metavar="DIR", help="views; up to 0.8 MB an image"
    )
    parser.add_argument("--data", default="own images and captions", help="what the manifest says of the data")
    for each in fields(recipe):
        default = getattr(recipe, each.name)
        told = f"{each.metadata['help']}; default: %(default)s"
        parser.add_argument(_option(each), type=type(default), default=default, help=told)
    return parser


def read_view_options(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *, recipe: Any
) -> argparse.Namespace:
    """Read the command line, and end with one sentence where it cannot be followed."""
    options = parser.parse_args(arguments)
    if not options.training:
        parser.error("there is nothing to learn from: give --data-set or --unmirrored at least once")
    if not options.dev:
        parser.error("there is nothing to choose the best epoch by: give --dev-set at least once")
    if options.out.resolve() == options.start_from.resolve():
        parser.error("--out is the folder of --start-from, which would be lost: name another one")
    for each in fields(recipe):
        given, least, most = getattr(options, each.name), each.metadata["least"], each.metadata["most"]
        if not least <= given <= most:
            expected = f"at least {least}" if most == math.inf else f"from {least} to {most}"
            parser.error(f"{_option(each)} is {given}, but must be {expected}")
    return options


def recipe_of(options: argparse.Namespace, recipe: Any) -> Any:
    """Return a recipe of the same class with the numbers of the command line."""
    return type(recipe)(**{name: getattr(options, name) for name in asdict(recipe)})


class _AddTrainingSource(argparse.Action):
    """Takes DIR CSV REPEAT; `const` holds the shares of the views."""

    def __call__(self, _parser: Any, options: argparse.Namespace, values: Any, _option: str | None = None) -> None:
        images, file, repeats = values
        if not (repeats.isdecimal() and int(repeats)):
            raise argparse.ArgumentError(self, f"REPEAT is {repeats!r}, but must be a whole number above 0")
        source = TrainingSource(images=Path(images), file=Path(file), repeats=int(repeats), shares=self.const)
        setattr(options, self.dest, [*(getattr(options, self.dest) or []), source])


class _AddDevSource(argparse.Action):
    """Takes NAME DIR CSV."""

    def __call__(self, _parser: Any, options: argparse.Namespace, values: Any, _option: str | None = None) -> None:
        name, images, file = values
        earlier = getattr(options, self.dest) or []
        if not re.fullmatch(r"[a-z0-9_]+", name):
            raise argparse.ArgumentError(self, f"NAME is {name!r}, but must be of a-z, 0-9 and _")
        if name in [source.name for source in earlier]:
            raise argparse.ArgumentError(self, f"NAME is {name!r} twice")
        setattr(options, self.dest, [*earlier, DevSource(name=name, images=Path(images), file=Path(file))])


def _option(each: Field[Any]) -> str:
    return f"--{each.name.replace('_', '-')}"
