import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_content import read_content
from typedcfg.records.checkpoint_record import (
    Manifest,
    StepName,
    committed,
    manifest_path,
    newest_verified,
    read_manifest,
    verify,
    write_manifest,
)
from typedcfg.storage import link_atomically

CONTENT = b"weights" * 20
GOLDEN = Path(__file__).parent.parent / "golden"


def commit(folder: Path, step: int, content: bytes = CONTENT, *, number: int = 0, epoch: int | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / str(StepName(step, number))
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    epoch = step // 10 if epoch is None else epoch
    write_manifest(path, Manifest(sha256=digest, size=len(content), step=step, epoch=epoch, world_size=1))
    return path


def test_a_whole_checkpoint_is_what_its_manifest_says(tmp_path: Path) -> None:
    assert verify(commit(tmp_path, 10)).step == 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, len(CONTENT) * 8 - 1))
def test_every_flipped_bit_is_seen(tmp_path: Path, bit: int) -> None:
    path = commit(tmp_path, 10)
    content = bytearray(CONTENT)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)

    with pytest.raises(RecordError, match="its sha256 is not the one"):
        verify(path)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"\0"])
def test_a_checkpoint_of_another_length_is_seen(tmp_path: Path, content: bytes) -> None:
    path = commit(tmp_path, 10)
    path.write_bytes(content)

    with pytest.raises(RecordError, match=rf"it has {len(content)} bytes instead of {len(CONTENT)}"):
        verify(path)


SHARDS = {".metadata": b"plan", "__0_0.distcp": b"weights", "__1_0.distcp": b"other weights", "meta.pt": b"loops"}


def commit_folder(folder: Path, step: int) -> Path:
    path = folder / f"step-{step:08d}.ckpt"
    path.mkdir(parents=True)
    for name, shard in SHARDS.items():
        (path / name).write_bytes(shard)
    content = read_content(path)
    write_manifest(path, Manifest(kind="sharded", step=step, epoch=step // 10, world_size=2, **content._asdict()))
    return path


def test_a_whole_folder_is_what_its_manifest_says(tmp_path: Path) -> None:
    manifest = verify(commit_folder(tmp_path, 10))

    assert list(manifest.files) == list(SHARDS)
    assert manifest.size == sum(map(len, SHARDS.values()))


@pytest.mark.parametrize("name", SHARDS)
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "{} is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), r"{} has \d+ bytes instead of \d+"),
        (lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]), "sha256 of {}"),
        (lambda path: path.with_name("__2_0.distcp").write_bytes(b""), "__2_0.distcp is none of its files"),
    ],
)
def test_any_damage_to_a_folder_is_seen_and_the_one_before_is_found(
    tmp_path: Path, name: str, damage: Callable[[Path], object], told: str
) -> None:
    first = commit_folder(tmp_path, 10)
    damage(commit_folder(tmp_path, 20) / name)

    found = newest_verified([tmp_path])

    assert found is not None
    assert found.path == first
    assert re.search(told.format(re.escape(name)), found.refused[0].what)


def test_a_folder_in_the_place_of_a_file_is_damage(tmp_path: Path) -> None:
    path = commit(tmp_path, 10)
    path.unlink()
    path.mkdir()

    with pytest.raises(RecordError, match="it is a folder"):
        verify(path)


def test_a_further_name_of_a_folder_is_verified_by_the_manifest_of_its_content(tmp_path: Path) -> None:
    link_atomically(commit_folder(tmp_path, 10), tmp_path / "best.ckpt")

    assert verify(tmp_path / "best.ckpt").step == 10


def test_a_further_name_is_verified_by_the_manifest_of_its_content(tmp_path: Path) -> None:
    best = tmp_path / "best.ckpt"
    best.hardlink_to(commit(tmp_path, 10))
    commit(tmp_path, 20, b"other weights")

    assert verify(best).step == 10
    best.unlink()
    best.write_bytes(b"neither")
    with pytest.raises(RecordError, match=r"best\.ckpt was never finished, or is damaged"):
        verify(best)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step-00000010.ckpt", "step-00000010.ckpt.json beside it"),
        ("best.ckpt", "best.ckpt.json beside it, or the step-*.ckpt.json of the same content"),
    ],
)
def test_one_that_was_copied_alone_says_what_else_to_copy(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_bytes(CONTENT)

    with pytest.raises(RecordError, match="has no manifest") as caught:
        verify(tmp_path / name)

    [problem] = caught.value.problems
    assert problem.expected == expected
    assert problem.fix.startswith("copy its manifest too")


def test_the_newest_is_the_one_with_the_most_steps_and_not_the_youngest_file(tmp_path: Path) -> None:
    newest = commit(tmp_path, 100_000_000)
    commit(tmp_path, 99_999_999)

    found = newest_verified([tmp_path])

    assert found is not None
    assert (found.path, found.refused) == (newest, ())


def test_of_those_at_one_step_the_newest_is_of_the_last_epoch_and_then_the_last_that_was_written(
    tmp_path: Path,
) -> None:
    due = [
        commit(tmp_path, 10, number=10, epoch=1),
        commit(tmp_path, 10, number=0, epoch=2),
        commit(tmp_path, 10, number=9, epoch=2),
        commit(tmp_path, 10, number=11, epoch=2),
        commit(tmp_path, 100_000_000, epoch=1),
    ]

    assert list(committed(tmp_path)) == due


def test_of_two_at_one_step_one_that_lost_its_manifest_is_told_of_where_it_is_the_newer(tmp_path: Path) -> None:
    commit(tmp_path, 10)
    newer = commit(tmp_path, 10, number=1)
    manifest_path(newer).unlink()

    found = newest_verified([tmp_path])

    assert found is not None
    assert [problem.where for problem in found.refused] == [str(newer)]


def test_a_damaged_checkpoint_is_passed_over_and_told(tmp_path: Path) -> None:
    good, damaged, gone = (commit(tmp_path, step) for step in (10, 20, 30))
    damaged.write_bytes(b"")
    gone.unlink()
    manifest_path(commit(tmp_path, 40)).write_bytes(b"\0")

    found = newest_verified([tmp_path])

    assert found is not None
    assert found.path == good
    assert [problem.what.partition(",")[0] for problem in found.refused] == [
        "step-00000040.ckpt.json is not JSON: unexpected character",
        "cannot read checkpoint step-00000030.ckpt: No such file or directory",
        "checkpoint step-00000020.ckpt is damaged: it has 0 bytes instead of 140",
    ]


def test_a_checkpoint_without_a_manifest_was_never_finished(tmp_path: Path) -> None:
    manifest_path(commit(tmp_path, 10)).unlink()

    assert newest_verified([tmp_path]) is None


def test_one_that_lost_its_manifest_is_passed_over_and_told(tmp_path: Path) -> None:
    good = commit(tmp_path, 20)
    for step in (10, 30):
        manifest_path(commit(tmp_path, step)).unlink()

    found = newest_verified([tmp_path])

    assert found is not None
    assert found.path == good
    assert [problem.expected for problem in found.refused] == ["step-00000030.ckpt.json beside it"]


def test_when_every_manifest_is_lost_the_run_does_not_start_afresh(tmp_path: Path) -> None:
    for step in (10, 20):
        manifest_path(commit(tmp_path, step)).unlink()

    with pytest.raises(RecordError, match=r"step-00000010\.ckpt has no manifest") as caught:
        newest_verified([tmp_path], instead="begin elsewhere")

    assert caught.value.problems[0].fix.endswith("or begin elsewhere")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-00000010.ckpt", "step-00000020.ckpt"]


def test_saves_that_were_killed_in_several_attempts_are_no_loss(tmp_path: Path) -> None:
    for attempt in ("old", "new"):
        manifest_path(commit(tmp_path / attempt, 10)).unlink()

    assert newest_verified([tmp_path / "new", tmp_path / "old"]) is None


def test_a_folder_with_nothing_whole_gives_way_to_the_next(tmp_path: Path) -> None:
    old = commit(tmp_path / "old", 10)
    commit(tmp_path / "new", 20).write_bytes(b"")

    found = newest_verified([tmp_path / "none", tmp_path / "new", tmp_path / "old"])

    assert found is not None
    assert (found.path, len(found.refused)) == (old, 1)


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize(
    ("put", "fix"),
    [
        (lambda path: path.parent.mkdir() or path.write_bytes(b""), r"attempt/checkpoints is no folder: move it away"),
        (lambda path: link(path, Path("nowhere")), r"bring back what \S+/attempt/checkpoints leads to"),
        (lambda path: link(path, path), r"bring back what \S+/attempt/checkpoints leads to"),
        (lambda path: link(path.parent, Path("nowhere")), r"bring back what \S+/attempt leads to"),
    ],
    ids=["file", "lost", "circle", "above"],
)
def test_a_folder_of_checkpoints_that_cannot_be_read_is_not_taken_for_empty(
    tmp_path: Path, put: Callable[[Path], object], fix: str
) -> None:
    put(tmp_path / "attempt" / "checkpoints")

    with pytest.raises(RecordError, match=rf"cannot read checkpoints: (.|\n)*{fix}"):
        newest_verified([tmp_path / "attempt" / "checkpoints", tmp_path / "old"])


def test_when_nothing_committed_is_whole_the_run_does_not_start_afresh(tmp_path: Path) -> None:
    commit(tmp_path, 10).write_bytes(b"")
    commit(tmp_path, 20).unlink()

    with pytest.raises(RecordError, match="no checkpoint of this run is whole") as caught:
        newest_verified([tmp_path])

    assert len(caught.value.problems) == 3


def test_a_manifest_of_the_first_version_is_read(tmp_path: Path) -> None:
    checkpoint = tmp_path / "step-00001200.ckpt"
    manifest_path(checkpoint).write_bytes((GOLDEN / "checkpoint.v1.json").read_bytes())

    manifest = read_manifest(checkpoint)

    assert (manifest.step, manifest.epoch, manifest.world_size, manifest.size) == (1200, 10, 2, 140)
    assert (manifest.kind, manifest.samples, manifest.is_inside_epoch) == ("file", None, False)


def test_a_manifest_of_this_version_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    checkpoint = tmp_path / "step-00001200.ckpt"
    manifest = Manifest(sha256="0", size=1, step=1200, epoch=9, batch=3, samples=9600, world_size=2)

    write_manifest(checkpoint, manifest)

    assert read_manifest(checkpoint).model_copy(update={"manifest_sha256": None}) == manifest
    assert manifest.is_inside_epoch


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_byte_of_a_manifest_that_changes_anything_is_seen(tmp_path: Path, place: float, byte: int) -> None:
    checkpoint = commit(tmp_path, 15)
    path, written = manifest_path(checkpoint), read_manifest(checkpoint)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] = byte
    path.write_bytes(content)

    with suppress(RecordError):
        assert read_manifest(checkpoint) == written


@pytest.mark.parametrize(
    ("line", "changed"),
    [('"epoch": 2', '"epoch": 0'), ('"step": 20', '"step": 90'), ('"schema_version": 2', '"schema_version": 1')],
)
def test_a_manifest_that_was_changed_is_passed_over_and_told(tmp_path: Path, line: str, changed: str) -> None:
    first, path = commit(tmp_path, 10), manifest_path(commit(tmp_path, 20))
    text = path.read_text()
    assert line in text
    path.write_text(text.replace(line, changed))

    found = newest_verified([tmp_path])

    assert found is not None
    assert found.path == first
    assert [problem.what for problem in found.refused] == [
        "step-00000020.ckpt.json was changed: it is not what its manifest_sha256 states"
    ]


def test_a_manifest_that_states_no_sha256_of_its_own_does_not_count(tmp_path: Path) -> None:
    path = manifest_path(checkpoint := commit(tmp_path, 10))
    lines = [line for line in path.read_text().splitlines() if "manifest_sha256" not in line]
    path.write_text("\n".join(lines).replace('Z",', 'Z"'))

    with pytest.raises(RecordError, match="was changed"):
        read_manifest(checkpoint)


def test_a_manifest_of_a_newer_typedcfg_says_so(tmp_path: Path) -> None:
    checkpoint = tmp_path / "step-00001200.ckpt"
    manifest_path(checkpoint).write_text('{"schema_version": 3, "shards": []}')

    with pytest.raises(RecordError, match=r"written by a newer typedcfg: it has schema version 3"):
        read_manifest(checkpoint)
