"""Keep Lightning's advertisements and known noise out, and its small talk off the screen."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

_ADVERTS: Final = ("💡 Tip:",)
_NO_LIMIT: Final = "was configured so 100% of the batches"
"""Said of every limit that is given and limits nothing."""
_ADVERTISERS: Final = ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.rank_zero")
_TALKERS: Final = ("lightning", "lightning.pytorch", "lightning.fabric")
"""Where Lightning hangs handlers of its own, at the latter two if nobody set up logging before it was imported."""
_NOISE: Final = (
    # Lightning under torch >= 2.13; goes when Lightning asks `treespec.is_leaf()` itself.
    (r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning),
    # A hint that cannot know how cheap a sample is.
    (r"The '\w+' does not have many workers", UserWarning),
)


@contextmanager
def quiet() -> Iterator[None]:
    """For the length of the block, drop what is known to be noise; afterwards all is as it was.

    What Lightning merely informs of (which devices there are, which file it reads) is not shown. It is said all the
    same, to handlers that are added within the block, as a log's, or that the program set up itself.
    """
    with warnings.catch_warnings(), ExitStack() as stack:
        for message, category in _NOISE:
            warnings.filterwarnings("ignore", message=message, category=category)
        for name in _ADVERTISERS:
            logger = logging.getLogger(name)
            logger.addFilter(_is_no_advert)
            stack.callback(logger.removeFilter, _is_no_advert)
        for handler in _own_handlers():
            handler.addFilter(_is_no_talk)
            stack.callback(handler.removeFilter, _is_no_talk)
        yield


def _own_handlers() -> list[logging.Handler]:
    """What Lightning itself shows its records with; what others hung there, they want to hear."""
    handlers = [handler for name in _TALKERS for handler in logging.getLogger(name).handlers]
    return [handler for handler in handlers if type(handler) is logging.StreamHandler]


def _is_no_talk(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO


def _is_no_advert(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not (message.startswith(_ADVERTS) or _NO_LIMIT in message)
