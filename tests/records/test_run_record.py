from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from typedcfg.errors import DamagedRecord, RecordError
from typedcfg.records.json_text import read_json, to_json
from typedcfg.records.run_record import (
    AttemptRecord,
    Failure,
    GitState,
    Identity,
    Machine,
    RunRecord,
    Score,
    TemplateReference,
    read_run_record,
    write_run_record,
)

SOME_UUID = UUID("78787878-7878-7878-7878-787878787878")
ATTEMPT = AttemptRecord(
    folder="20261121T052440.123456Z",
    started=datetime(2026, 11, 21, 5, 24, 40, 123456, tzinfo=UTC),
    machine=Machine(hostname="box", platform="Linux", cpu_count=2, user="ada"),
    git=GitState(commit="0" * 40, branch=None, is_dirty=True),
    versions={"python": "3.11.9"},
    pid=7,
    world_size=2,
    status="failed",
    exit_code=1,
    failure=Failure(what="ValueError: no", where="digits.py:3, in f", rank=1, traceback="Traceback ..."),
    is_bitwise=False,
    not_bitwise_because=("saved by 1 rank, resumed by 2",),
)
RECORD = RunRecord(
    identity=Identity(
        run_uuid=SOME_UUID,
        run_id=SOME_UUID.hex,
        id="x" * 8 + SOME_UUID.hex[:8],
        uuid=SOME_UUID,
        name="digits-base",
        experiment_id="x" * 16,
        experiment_uuid=SOME_UUID,
        code_uuid=SOME_UUID,
        fingerprint="f" * 64,
        canonical_version=1,
    ),
    template=TemplateReference(qualname="Digits", module="__main__", path="digits.py", absolute_path="/code/digits.py"),
    argv=("digits.py", "lr=1"),
    app=None,
    secrets=("token",),
    score=Score(metric="loss", mode="min", split=None),
    status="failed",
    attempts=(ATTEMPT,),
)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_run_record(tmp_path / "run.json", RECORD)

    assert read_run_record(tmp_path / "run.json") == RECORD


def test_a_record_of_a_newer_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(to_json({"schema_version": 2, "news": True}))

    with pytest.raises(RecordError, match=r"written by a newer typedcfg: it has schema version 2") as caught:
        read_run_record(tmp_path / "run.json")

    assert caught.value.problems[0].fix == "update typedcfg"


def test_every_key_that_a_record_may_not_have_is_named(tmp_path: Path) -> None:
    content = RECORD.model_dump(mode="json")
    content["identity"]["colour"] = "red"
    del content["argv"]
    (tmp_path / "run.json").write_bytes(to_json(content))

    with pytest.raises(DamagedRecord) as caught:
        read_run_record(tmp_path / "run.json")

    [problem] = caught.value.problems
    assert problem.what.startswith("run.json is no record of a run: ")
    assert "argv: Field required" in problem.what
    assert "identity.colour: Extra inputs are not permitted" in problem.what


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\0" * 20])
def test_what_is_no_record_says_how_to_go_on(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)

    with pytest.raises(DamagedRecord) as caught:
        read_run_record(tmp_path / "run.json")

    assert all(problem.fix.startswith("restore it from a copy") for problem in caught.value.problems)


@pytest.mark.parametrize(
    "folder", ["", "..", "../../20261121T052440.123456Z", "a\0b", "20261121T052440.123456Z\n", "x" * 5000]
)
def test_an_attempt_lies_in_a_folder_that_is_named_as_attempts_are(tmp_path: Path, folder: str) -> None:
    content = RECORD.model_dump(mode="json")
    content["attempts"][0]["folder"] = folder
    (tmp_path / "run.json").write_bytes(to_json(content))

    with pytest.raises(DamagedRecord, match=r"attempts\.0\.folder"):
        read_run_record(tmp_path / "run.json")


def test_a_record_is_readable_by_people(tmp_path: Path) -> None:
    write_run_record(tmp_path / "run.json", RECORD)

    content = read_json(tmp_path / "run.json")

    assert isinstance(content, dict)
    assert content["attempts"][0]["started"] == "2026-11-21T05:24:40.123456Z"
    assert content["identity"]["run_uuid"] == str(SOME_UUID)
