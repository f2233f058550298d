"""The fingerprint of a configuration: a short name for its canonical text."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from typedcfg.identity.canonical import VERSION

_WRITTEN: Final = re.compile(r"(untyped-)?v([1-9][0-9]*)-([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The sha256 of a canonical text, and the version of the algorithm that wrote the text.

    As text it is one word in a shell, a URL, a file name and YAML. Fingerprints of two versions are never equal:
    nothing says whether the configurations are.

    Example:
        >>> one = fingerprint_of('{"lr":0.1}')
        >>> print(one)
        v1-9c9ba942d8bb6213cd855c3e8ddfeb6640a23616f11f4da3d8e77555902a6107
        >>> Fingerprint.parse(str(one)) == one
        True
    """

    digest: str
    """64 lower-case hexadecimal digits."""
    version: int = VERSION
    is_untyped: bool = False
    """Whether it is of values without a template, all of which count."""

    def __str__(self) -> str:
        return f"{'untyped-' if self.is_untyped else ''}v{self.version}-{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The fingerprint that `str()` wrote, of any version.

        Raises:
            ValueError: The text is no fingerprint.
        """
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a fingerprint, which is 'v1-' and 64 hexadecimal digits")
        return cls(match[3], int(match[2]), is_untyped=match[1] is not None)


def fingerprint_of(text: str) -> Fingerprint:
    """The fingerprint of a canonical text, as `canonical_text` of this version wrote it."""
    return Fingerprint(sha256(text.encode()).hexdigest())
