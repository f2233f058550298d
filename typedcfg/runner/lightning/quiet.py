"""Keep Lightning's advertisements and known noise off the screen, and nothing else."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

_ADVERTS: Final = ("💡 Tip:",)
_NO_LIMIT: Final = "was configured so 100% of the batches"
"""Said of every limit that is given and limits nothing."""
_ADVERTISERS: Final = ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.rank_zero")
_NOISE: Final = (
    # Lightning under torch >= 2.13; goes when Lightning asks `treespec.is_leaf()` itself.
    (r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning),
    # A hint that cannot know how cheap a sample is.
    (r"The '\w+' does not have many workers", UserWarning),
)


@contextmanager
def quiet() -> Iterator[None]:
    """For the length of the block, drop what is known to be noise; afterwards all is as it was."""
    with warnings.catch_warnings(), ExitStack() as stack:
        for message, category in _NOISE:
            warnings.filterwarnings("ignore", message=message, category=category)
        for name in _ADVERTISERS:
            logger = logging.getLogger(name)
            logger.addFilter(_is_no_advert)
            stack.callback(logger.removeFilter, _is_no_advert)
        yield


def _is_no_advert(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not (message.startswith(_ADVERTS) or _NO_LIMIT in message)
