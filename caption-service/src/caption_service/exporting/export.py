"""`caption-export MODEL OUT`: write a caption model for TensorFlow Serving and Triton."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from caption_service.settings import default_encoder
from shared.artifacts import ArtifactError
from shared.model_repository import ExportRefused, lay_out

EXAMPLE = """\
example:
  caption-export caption-service/models/attention exported
  tensorflow_model_server --rest_api_port=8501 --model_name=attention \\
      --model_base_path=$PWD/exported/tensorflow-serving/attention
  tritonserver --model-repository=exported/triton
"""


def main() -> None:
    """Read the command line, write the model and say where it lies."""
    parser = argparse.ArgumentParser(
        prog="caption-export", description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="folder of the caption model")
    parser.add_argument("out", type=Path, help="new folder for what is written")
    parser.add_argument(
        "--encoder", type=Path, default=default_encoder(), help="folder of the encoder it was trained on"
    )
    options = parser.parse_args()
    from caption_service.exporting.saved_model import INPUTS, load_for_export  # noqa: PLC0415  # loads TensorFlow

    try:
        model = load_for_export(options.model, options.encoder)
        places = lay_out(
            options.out, options.model.resolve().name, inputs=INPUTS, outputs=model.outputs, write=model.write
        )
    except (ArtifactError, ExportRefused) as error:
        sys.exit(f"caption-export: {error}")
    print(f"TensorFlow Serving: {places[0]}\nTriton:             {places[1]}")


if __name__ == "__main__":
    main()
