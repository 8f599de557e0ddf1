"""The command `classify-evaluate`: how good a classifier is on a folder of folders."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from classify_service.model.artifact import load
from classify_service.model.classifier import Classifier, Score
from classify_service.model.preprocessing import UnreadableImage
from classify_service.settings import SHIPPED_MODEL
from classify_service.training.dataset import DatasetError, Example, read_examples
from classify_service.training.judgement_pictures import draw_confusion, draw_reliability
from classify_service.training.metrics import confusion, reliability, summary, table
from classify_service.training.out_of_scope import measure_out_of_scope, out_of_scope_table
from shared.artifacts import ArtifactError

EXAMPLE = """\
example:
  classify-evaluate --data pictures --json figures.json
  classify-evaluate --out-of-scope

pictures holds one folder a label. Predictions are the best label before any threshold; images that cannot be read are
named and left out. Beside figures.json come figures-confusion.png and figures-reliability.png. --out-of-scope draws
100 pictures that belong to no label and tells how many come out unclassified.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not (options.data or options.out_of_scope):
        parser.error("--data DIR or --out-of-scope is needed")
    try:
        examples = read_examples(options.data, min_labels=1) if options.data else []
        if options.json:
            check_writable(options.json)
        classifier, manifest = load(options.model)
        answer = evaluate(classifier, examples) if options.data else {"metrics": {}}
        if options.out_of_scope:
            answer["metrics"]["out_of_scope"] = measure_out_of_scope(classifier)
    except (DatasetError, ArtifactError) as error:
        sys.exit(f"classify-evaluate: {error}")
    except KeyboardInterrupt:
        sys.exit("\nclassify-evaluate: stopped; nothing was written")
    metrics = answer["metrics"]
    if options.data:
        print(f"{manifest.name} {manifest.version} on {metrics['images']} images of {options.data}\n{table(metrics)}")
        print(
            f"At the model's thresholds: right {metrics['precision_at_threshold']:.3f}, "
            f"given {metrics['coverage_at_threshold']:.3f} of the time."
        )
        for name, reason in metrics["unreadable"].items():
            print(f"not read: {name}: {reason}")
    if options.out_of_scope:
        print(out_of_scope_table(metrics["out_of_scope"]))
    if options.json:
        _write(answer, options.json)


def evaluate(classifier: Classifier, examples: Sequence[Example]) -> dict[str, Any]:
    """Return `metrics` and `predictions` of a classifier for examples, as plain values for JSON.

    A label of the data that the classifier does not know counts as wrong.

    Raises:
        DatasetError: not one image can be read.
    """
    scores: dict[str, list[Score]] = {}
    unreadable: dict[str, str] = {}
    label_of = {example.name: example.label for example in examples}
    for example in tqdm(examples, desc="classifying", unit="image"):
        try:
            scores[example.name] = classifier.scores_of_file(example.file)
        except UnreadableImage as error:
            unreadable[example.name] = str(error)
    if not scores:
        raise DatasetError("none of the images can be read")
    labels = (*classifier.labels, *sorted(set(label_of.values()) - set(classifier.labels)))
    truth = np.array([labels.index(label_of[name]) for name in scores])
    probabilities = np.zeros((len(scores), len(labels)))
    for row, ranked in enumerate(scores.values()):
        for score in ranked:
            probabilities[row, labels.index(score.label)] = score.confidence
    sure = np.array([classifier.is_sure_of(ranked[0].label, ranked[0].confidence) for ranked in scores.values()])
    right = probabilities.argmax(axis=1) == truth
    return {
        "metrics": {
            **summary(truth, probabilities, labels),
            "labels": list(labels),
            "confusion": confusion(truth, probabilities.argmax(axis=1), count=len(labels)),
            "reliability": reliability(probabilities.max(axis=1), right),
            "images": len(scores),
            "thresholds": dict(zip(classifier.labels, classifier.judgement.thresholds, strict=True)),
            "precision_at_threshold": round(float(right[sure].mean()), 6) if sure.any() else 0.0,
            "coverage_at_threshold": round(float(sure.mean()), 6),
            "unreadable": unreadable,
        },
        "predictions": {
            name: {
                "label": ranked[0].label,
                "confidence": round(ranked[0].confidence, 6),
                "scores": {score.label: round(score.confidence, 6) for score in ranked},
            }
            for name, ranked in scores.items()
        },
    }


def check_writable(file: Path) -> None:
    """Refuse a file that could not be written after minutes of work.

    Raises:
        DatasetError: its folder is not there.
    """
    if not file.parent.is_dir():
        raise DatasetError(f"there is no folder {file.parent} to write {file.name} to")


def _write(answer: dict[str, Any], file: Path) -> None:
    """Write the figures, and beside them the pictures of what was predicted."""
    file.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    written = [file]
    metrics = answer["metrics"]
    if "confusion" in metrics:
        written += [file.with_name(f"{file.stem}-{picture}.png") for picture in ("confusion", "reliability")]
        draw_confusion(metrics["confusion"], metrics["labels"], written[1])
        draw_reliability(metrics["reliability"], metrics["ece"], written[2])
    print(f"Written to {', '.join(str(each) for each in written)}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classify-evaluate",
        description="Measure a classifier on a folder of folders.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="folder with one folder of images a label")
    parser.add_argument("--out-of-scope", action="store_true", help="measure drawn pictures that belong to no label")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="OUT",
        help="file for the figures and every prediction; two pictures come beside it",
    )
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="folder of the classifier (the shipped one)")
    return parser


if __name__ == "__main__":
    main()
