"""The command `classify-export`: write a classifier for TensorFlow Serving and Triton.

The SavedModel takes the picture's pixels and its measured features; measuring is OpenCV's and stays with who asks.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shared.artifacts import ArtifactError
from shared.model_repository import ExportRefused, lay_out

EXAMPLE = """\
example:
  classify-export classify-service/models/vgg16-opencv exported
  tensorflow_model_server --rest_api_port=8501 --model_name=vgg16-opencv \\
      --model_base_path=$PWD/exported/tensorflow-serving/vgg16-opencv
  tritonserver --model-repository=exported/triton
"""


def main() -> None:
    """Read the command line, write the model and say where it lies."""
    parser = argparse.ArgumentParser(
        prog="classify-export",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, help="folder of the classifier")
    parser.add_argument("out", type=Path, help="new folder for what is written")
    options = parser.parse_args()
    from classify_service.exporting.saved_model import ExportedClassifier  # noqa: PLC0415 - brings in TensorFlow
    from classify_service.model.artifact import load  # noqa: PLC0415 - slow
    from classify_service.model.backends import Computing  # noqa: PLC0415

    try:
        model = ExportedClassifier(load(options.model, computing=Computing("tensorflow"))[0])
        places = lay_out(
            options.out, options.model.resolve().name, inputs=model.inputs, outputs=model.outputs, write=model.write
        )
    except (ArtifactError, ExportRefused) as error:
        sys.exit(f"classify-export: {error}")
    print(f"TensorFlow Serving: {places[0]}\nTriton:             {places[1]}")


if __name__ == "__main__":
    main()
