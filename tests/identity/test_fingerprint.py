import copy
import pickle
from hashlib import sha256

import pytest

from typedcfg.identity.canonical import canonical_text
from typedcfg.identity.fingerprint import Fingerprint, fingerprint_of


def test_it_is_the_sha256_of_the_text_with_the_version_before_it() -> None:
    text = canonical_text([(("name",), "é")])

    assert str(fingerprint_of(text)) == "v1-" + sha256('{"name":"é"}'.encode()).hexdigest()


def test_what_is_written_can_be_read_back() -> None:
    one = fingerprint_of("{}")

    assert Fingerprint.parse(str(one)) == one
    assert hash(Fingerprint.parse(str(one))) == hash(one)
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


def test_another_version_is_another_fingerprint() -> None:
    one = fingerprint_of("{}")
    later = Fingerprint.parse(str(one).replace("v1-", "v12-"))

    assert later.version == 12
    assert later != one


@pytest.mark.parametrize("text", ["", "v1-", "ab" * 32, "v0-" + "ab" * 32, "v1-" + "AB" * 32, "v1-" + "ab" * 32 + "\n"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a fingerprint"):
        Fingerprint.parse(text)
