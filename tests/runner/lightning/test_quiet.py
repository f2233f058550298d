import logging
import warnings
from io import StringIO

import pytest

from typedcfg.runner.lightning.quiet import quiet

LOGGER = logging.getLogger("lightning.pytorch.utilities.rank_zero")
ADVERT = "💡 Tip: For seamless cloud logging, try installing litlogger"


def test_adverts_are_dropped_and_news_is_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOGGER.name), quiet():
        LOGGER.info(ADVERT)
        LOGGER.info("`Trainer.fit` stopped: `max_epochs=1` reached.")

    assert caplog.messages == ["`Trainer.fit` stopped: `max_epochs=1` reached."]


@pytest.mark.parametrize("name", ["lightning", "lightning.pytorch"])
def test_what_lightning_informs_of_is_for_handlers_that_listen_within(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, kept = StringIO(), StringIO()
    logger = logging.getLogger(name)
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(shown)])
    monkeypatch.setattr(logging.getLogger("lightning.pytorch"), "propagate", name == "lightning")
    monkeypatch.setattr(logging.getLogger("lightning.pytorch"), "level", logging.INFO)
    LOGGER.manager._clear_cache()  # type: ignore[attr-defined]  # as setLevel does

    with quiet():
        logger.addHandler(logging.StreamHandler(kept))
        LOGGER.info("GPU available: False")
        LOGGER.warning("careful")

    assert (shown.getvalue(), kept.getvalue()) == ("careful\n", "GPU available: False\ncareful\n")


def test_afterwards_everything_is_heard_again(caplog: pytest.LogCaptureFixture) -> None:
    filters = list(warnings.filters)

    with quiet():
        pass

    with caplog.at_level(logging.INFO, LOGGER.name):
        LOGGER.info(ADVERT)
    assert caplog.messages == [ADVERT]
    assert warnings.filters == filters


def test_a_warning_that_is_not_known_noise_is_heard() -> None:
    with quiet(), pytest.raises(UserWarning, match="your learning rate"):
        warnings.warn("your learning rate is negative", UserWarning, stacklevel=1)
