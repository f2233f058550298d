import hashlib
from pathlib import Path

from typedcfg.records.checkpoint_content import read_content


def test_a_file_is_its_own_content(tmp_path: Path) -> None:
    (tmp_path / "step.ckpt").write_bytes(b"weights")

    content = read_content(tmp_path / "step.ckpt")

    assert content == (hashlib.sha256(b"weights").hexdigest(), 7, {})


def test_the_content_of_a_folder_is_the_list_that_sha256sum_writes(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"2nd")
    (tmp_path / "a").write_bytes(b"first")
    listing = "".join(
        f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in (("a", b"first"), ("b", b"2nd"))
    )

    content = read_content(tmp_path)

    assert content.sha256 == hashlib.sha256(listing.encode()).hexdigest()
    assert content.size == 8
    assert list(content.files) == ["a", "b"]
