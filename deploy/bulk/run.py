"""Caption and classify a bucket or folder: `python -m deploy.bulk.run SOURCE OUT`. A killed run goes on."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from caption_service.settings import default_encoder, default_model
from classify_service.settings import SHIPPED_MODEL
from deploy.bulk.manifest import OtherJob, Plan, accounts, begin, open_chunks
from deploy.bulk.places import address, open_place
from shared.artifacts import ArtifactError, read_manifest

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Read the command line, do what is open, and say what came of it."""
    options = _options()
    source, out = address(options.source), address(options.out)
    try:
        models = {
            "caption_model": _name(options.model, "captioner"), "classifier": _name(options.classifier, "classifier")
        }  # fmt: skip
        plan = Plan(source=source, chunk_images=options.chunk_images, limit=options.limit, **models)
        place = open_place(out, make=True)
        chunks = begin(place, open_place(source), plan)
    except (ArtifactError, OtherJob, OSError) as error:
        sys.exit(f"bulk: {error}")
    todo = open_chunks(place, chunks)
    print(f"{chunks} chunks, {len(todo)} to do", flush=True)
    if todo:
        _work(todo, source, out, options)
    done = list(accounts(place))
    images, refused = (sum(each[name] for each in done) for name in ("images", "refused"))
    print(f"{len(done)} of {chunks} chunks done: {images} images, {refused} of them refused")


def _work(todo: list[str], source: str, out: str, options: argparse.Namespace) -> None:
    import ray  # noqa: PLC0415 - starts nothing where there is nothing to do

    from deploy.bulk.looking import Looker  # noqa: PLC0415 - brings in pyarrow

    ray.init(
        address=options.ray_address,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}},
        log_to_driver=False,
        include_dashboard=False,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False  # we print a line a chunk
    # A row a chunk, so that whoever dies takes at most one chunk along; Ray gives it to another actor.
    spread = ray.data.from_items([{"chunk": each} for each in todo], override_num_blocks=len(todo)).map(
        Looker,
        fn_constructor_kwargs={
            "source": source,
            "out": out,
            "caption_model": address(str(options.model)),
            "encoder": address(str(options.encoder)),
            "classifier": address(str(options.classifier)),
        },
        concurrency=options.actors,
        num_cpus=None if options.gpus else options.cpus,
        num_gpus=options.gpus or None,
    )
    started, images = time.monotonic(), 0
    for account in spread.iter_rows():
        images += account["images"]
        rate = images / (time.monotonic() - started)
        print(
            f"chunk {account['chunk']}: {account['images']} images, {account['seconds']} s; {rate:.2f} a second",
            flush=True,
        )


def _name(folder: Path, kind: str) -> str:
    manifest = read_manifest(folder, kind=kind)
    return f"{manifest.name}@{manifest.version}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.bulk.run", description=__doc__)
    parser.add_argument("source", help="s3://BUCKET/PREFIX, or a folder")
    parser.add_argument("out", help="where results and the manifest go: the same kinds of places")
    parser.add_argument("--actors", type=int, default=1, help="each holds both models (default: %(default)s)")
    parser.add_argument(
        "--cpus", type=float, default=1, help="cores that Ray counts for an actor (default: %(default)s)"
    )
    parser.add_argument("--gpus", type=float, default=0, help="GPUs for an actor (default: %(default)s)")
    parser.add_argument("--chunk-images", type=int, default=500, help="images between two notes (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=None, help="look at the first so many images only")
    parser.add_argument("--model", type=Path, default=default_model(), help="folder of the caption model")
    parser.add_argument("--encoder", type=Path, default=default_encoder(), help="folder of its encoder")
    parser.add_argument("--classifier", type=Path, default=SHIPPED_MODEL, help="folder of the classifier")
    parser.add_argument("--ray-address", default=None, help="of a Ray cluster; without it one is started here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
