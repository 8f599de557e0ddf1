"""`make bench-gpu`: what the models do on a GPU, by precision, XLA and images at once; a table on standard output.

Without a GPU it says so and ends with 3; nothing of it has been measured by us yet.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from tests.bench.baselines import GFLOP_AN_IMAGE, SIDE_PX, median_s

NO_GPU_EXIT_CODE = 3
BATCHES = (1, 4, 8, 16, 32, 64)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-gpu", description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--anyway", action="store_true", help="also without a GPU, to check the script itself")
    options = parser.parse_args()
    import tensorflow as tf  # slow to import

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and not options.anyway:
        print("There is no GPU here that TensorFlow can use: nothing was measured.", file=sys.stderr)
        sys.exit(NO_GPU_EXIT_CODE)
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    print(f"{', '.join(names) or 'no GPU'}, TensorFlow {tf.__version__}\n")
    print("| encoder | images at once | ms an image | images/s | GFLOP/s |\n|---|---:|---:|---:|---:|")
    dtypes = ("float32", "float16", "bfloat16") if gpus else ("float32",)
    for dtype in dtypes:
        for has_xla in (False, True):
            _encoder_rows(tf, dtype, has_xla=has_xla, batches=options.batches, repeats=options.repeats)
    _captioner_rows(tf, dtypes[1 % len(dtypes)], batches=options.batches, repeats=options.repeats)


def _encoder_rows(tf: object, dtype: str, *, has_xla: bool, batches: list[int], repeats: int) -> None:
    from caption_service.model.encoder import Encoder
    from caption_service.settings import default_encoder

    network = Encoder(default_encoder() / "encoder.npz", dtype=dtype).network
    run = tf.function(lambda pixels: network(pixels, training=False), jit_compile=has_xla)  # type: ignore[attr-defined]
    name = f"{dtype}{', XLA' if has_xla else ''}"
    for batch in batches:
        pixels = tf.zeros((batch, SIDE_PX, SIDE_PX, 3))  # type: ignore[attr-defined]
        try:
            seconds = median_s(lambda pixels=pixels: run(pixels).numpy(), repeats) / batch
        except tf.errors.ResourceExhaustedError:  # type: ignore[attr-defined]
            print(f"| {name} | {batch} | too little memory | | |")
            return
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:  # type: ignore[attr-defined]
            print(f"| {name} | {batch} | not possible here: {str(error).splitlines()[0][:80]} | | |")
            return
        print(f"| {name} | {batch} | {1000 * seconds:.2f} | {1 / seconds:.0f} | {GFLOP_AN_IMAGE / seconds:.0f} |")


def _captioner_rows(tf: object, dtype: str, *, batches: list[int], repeats: int) -> None:
    from caption_service.model.backends import Computing
    from caption_service.model.captioner import Captioner
    from caption_service.settings import default_encoder, default_model

    captioner = Captioner.load(
        default_model(), encoder_folder=default_encoder(), computing=Computing("tensorflow", dtype)
    )
    print(f"\n| whole captions, {dtype} | ms an image | images/s |\n|---:|---:|---:|")
    for batch in batches:
        pixels = np.random.default_rng(0).integers(0, 255, (batch, SIDE_PX, SIDE_PX, 3), np.uint8)
        try:
            seconds = median_s(lambda pixels=pixels: captioner.describe(pixels), repeats) / batch
        except (MemoryError, tf.errors.ResourceExhaustedError):  # type: ignore[attr-defined]
            print(f"| {batch} | too little memory | |")
            return
        print(f"| {batch} | {1000 * seconds:.1f} | {1 / seconds:.0f} |")


if __name__ == "__main__":
    main()
