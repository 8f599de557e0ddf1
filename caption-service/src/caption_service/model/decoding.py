"""How sentences are searched for, and what of what was found is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from caption_service.model.beam import Group, Sentence


@dataclass(frozen=True)
class Decoding:
    """How sentences are searched for; chosen on dev and kept with the weights."""

    beams: int = 3
    longest: int = 20
    length_power: float = 0.7
    other_groups: int = 2
    """Groups of beams that look for the same said differently; none changes the best caption."""
    other_beams: int = 2
    diversity: float = 0.5
    """Nats; see `beam.Group`."""

    @property
    def groups(self) -> list[Group]:
        """Return the plain beam, of which the best sentence is wanted, and the others."""
        return [Group(self.beams, wanted=1), *[Group(self.other_beams, diversity=self.diversity)] * self.other_groups]

    @property
    def alone(self) -> Decoding:
        """Return the plain beam without the others, which finds the same best caption sooner."""
        return replace(self, other_groups=0)


def unlike(groups: Sequence[Sequence[Sentence]], decoding: Decoding) -> list[Sentence]:
    """Return the plain beam's best sentence, then one of each other group, best first; no two are equal.

    Of each other group the best one is taken that differs from those before in more than one word; where there is
    none, the best one that differs at all.
    """
    first, *others = groups
    chosen = [first[0]]
    for group in others:
        new = [each for each in group if all(each.token_ids != one.token_ids for one in chosen)]
        other_words = (each for each in new if all(_differing_words(each, one) > 1 for one in chosen))
        if new:
            chosen.append(next(other_words, new[0]))
    return [chosen[0], *sorted(chosen[1:], key=lambda sentence: -sentence.score(decoding.length_power))]


def _differing_words(one: Sentence, other: Sentence) -> int:
    """Return how many words the longer sentence has that the other has not, each as often as it is said."""
    ours, theirs = list(one.token_ids), list(other.token_ids)
    common = sum(min(ours.count(word), theirs.count(word)) for word in set(ours))
    return max(len(ours), len(theirs)) - common
