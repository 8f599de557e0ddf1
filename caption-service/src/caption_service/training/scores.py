"""Score captions against what people said: BLEU, CIDEr, ROUGE-L, METEOR.

The scorers are pycocoevalcap's. Its PTB tokenizer and METEOR run on Java; without Java our own word splitter takes the
tokenizer's place (lower case, punctuation dropped), METEOR is null, and the scores say which tokenizer they used.
Scores by different tokenizers must not be compared.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from caption_service.model.vocabulary import split_words

PTB = "ptb"
PLAIN = "plain-words"


def score_captions(
    predictions: Mapping[str, str], references: Mapping[str, Sequence[str]], *, quick: bool = False
) -> dict[str, Any]:
    """Return corpus scores of one prediction an image.

    Args:
        predictions: Each image's sentence.
        references: Each image's human captions; the same images.
        quick: Leave Java out, as after each epoch of a training.

    Returns:
        `bleu_1` to `bleu_4`, `cider`, `rouge_l`, `meteor` (null without Java), `tokenizer`, `images`.
    """
    with_java = not quick and shutil.which("java") is not None
    said = {image: [sentence] for image, sentence in predictions.items()}
    meant = {image: list(references[image]) for image in predictions}
    said, meant = (_ptb(said), _ptb(meant)) if with_java else (_plain(said), _plain(meant))
    with contextlib.redirect_stdout(io.StringIO()):  # the scorers print
        bleu, _ = Bleu(4).compute_score(meant, said)
        cider, _ = Cider().compute_score(meant, said)
        rouge_l, _ = Rouge().compute_score(meant, said)
        meteor = Meteor().compute_score(meant, said)[0] if with_java else None
    return {
        **{f"bleu_{n}": float(score) for n, score in enumerate(bleu, start=1)},
        "cider": float(cider),
        "rouge_l": float(rouge_l),
        "meteor": None if meteor is None else float(meteor),
        "tokenizer": PTB if with_java else PLAIN,
        "images": len(said),
    }


def cider_d_of_each(predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return CIDEr-D of each image's sentence, 0 to 10, on plain words; n-grams are weighed over these images."""
    meant = _plain({image: references[image] for image in predictions})
    said = _plain({image: [sentence] for image, sentence in predictions.items()})
    _, each = Cider().compute_score(meant, said)
    return {image: float(score) for image, score in zip(meant, each, strict=True)}


def _ptb(captions: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    wrapped = {image: [{"caption": caption} for caption in several] for image, several in captions.items()}
    tokenized: dict[str, list[str]] = PTBTokenizer().tokenize(wrapped)
    return tokenized


def _plain(captions: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {image: [" ".join(split_words(caption)) for caption in several] for image, several in captions.items()}
