"""Weights whose names begin otherwise in the model than in a file: a part of the model that was given another name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from typing_extensions import override

from typedcfg.text import count


class Renamed(NamedTuple):
    """Weights that a file and a model have by names with other beginnings."""

    old: str
    new: str
    names: dict[str, str]
    """By each name in the file that in the model."""

    @override
    def __str__(self) -> str:
        """The two beginnings.

        Example:
            >>> str(Renamed("net.", "", {"net.0.weight": "0.weight"}))
            'net.* in the file may be * in the model: 1 weight'
        """
        return f"{self.old}* in the file may be {self.new}* in the model: {count(len(self.names), 'weight')}"


def renamed_prefixes(old: Mapping[str, Sequence[int]], new: Mapping[str, Sequence[int]]) -> list[Renamed]:
    """The beginnings of names that may stand for each other, each of two weights or more, of the same shapes.

    Args:
        old: The shape of each weight that the file alone has, by its name.
        new: That of each that the model alone has.

    Example:
        >>> shapes = {"0.weight": (2, 2), "0.bias": (2,)}
        >>> found = renamed_prefixes({f"net.{name}": shape for name, shape in shapes.items()}, shapes)
        >>> [(one.old, one.new) for one in found]
        [('net.', '')]
    """
    left_old, left_new = dict(old), dict(new)
    found = []
    for (old_start, new_start), _ in _starts(old, new).most_common():
        names = {}
        for name, shape in left_old.items():
            other = new_start + name.removeprefix(old_start)
            if name.startswith(old_start) and left_new.get(other) == shape:
                names[name] = other
        if len(names) > 1:
            found.append(Renamed(old_start, new_start, names))
            left_old = {name: shape for name, shape in left_old.items() if name not in names}
            left_new = {name: shape for name, shape in left_new.items() if name not in set(names.values())}
    return found


def _starts(old: Mapping[str, Sequence[int]], new: Mapping[str, Sequence[int]]) -> Counter[tuple[str, str]]:
    """How often two beginnings stand before the same rest, the longest that a name shares with any."""
    by_rest: dict[str, list[str]] = {}
    for name in new:
        for rest in _rests(name):
            by_rest.setdefault(rest, []).append(name)
    starts: Counter[tuple[str, str]] = Counter()
    for name in old:
        for shared in [rest for rest in _rests(name) if rest in by_rest][:1]:
            starts.update((name.removesuffix(shared), other.removesuffix(shared)) for other in by_rest[shared])
    return starts


def _rests(name: str) -> list[str]:
    """A dotted name, and what is left of it without its first words.

    Example:
        >>> _rests("net.0.bias")
        ['net.0.bias', '0.bias', 'bias']
    """
    words = name.split(".")
    return [".".join(words[start:]) for start in range(len(words))]
