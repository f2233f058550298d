from uuid import UUID, uuid5

from typedcfg.identity.code_version import CodeVersion
from typedcfg.identity.run_identity import identify_run

COMMIT = "5ae59433210ddbee64d02632c81eedada837d10c"
CLEAN = CodeVersion(COMMIT, "77f7ccef39b296620d9e81c6787f9b7e8b614ce6", is_dirty=False, patch=b"")
DIRTY = CodeVersion(COMMIT, "4b825dc642cb6eb9a060e54bf8d69288fbee4904", is_dirty=True, patch=b"-a\n")


def test_each_uuid_follows_from_the_one_before() -> None:
    identity = identify_run(DIRTY, "{}", experiment_name="digits", run_name="wide")

    assert identity.experiment_uuid == UUID(bytes=b"5ae59433210ddbee")
    assert identity.code_uuid == uuid5(identity.experiment_uuid, DIRTY.tree_id)
    assert identity.run_uuid == uuid5(identity.code_uuid, "{}")
    assert identity.run_id == identity.run_uuid.hex
    assert identity.id == "5ae59433" + identity.run_id[:8]
    assert identity.uuid == uuid5(identity.run_uuid, identity.id)


def test_the_code_and_the_configuration_bear_on_it_and_the_name_does_not() -> None:
    runs = [
        identify_run(code, text, experiment_name="digits", run_name=name).run_uuid
        for code, text, name in [(CLEAN, "{}", "a"), (DIRTY, "{}", "a"), (CLEAN, '{"a":1}', "a"), (CLEAN, "{}", "b")]
    ]

    assert len(set(runs)) == 3
    assert runs[0] == runs[3]


def test_the_name_is_the_experiment_and_the_run() -> None:
    assert identify_run(CLEAN, "{}", experiment_name="digits", run_name="wide").name == "digits-wide"
