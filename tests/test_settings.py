from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from typedcfg.errors import ConfigError, MissingKey
from typedcfg.settings import TypedcfgSource


class Database(BaseModel):
    host: str = "localhost"
    port: int = 5432
    password: SecretStr = SecretStr("")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="T_", env_nested_delimiter="__")

    database: Database = Database()
    databases: dict[str, Database] = {}
    address: str = ""
    version: str = Field(default="", alias="release")
    ports: list[int] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic-settings passes all four
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TypedcfgSource(settings_cls, files=["wide.yaml"])


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("database: {host: db1, port: 1}\naddress: db://${database.host}\n")
    Path("wide.yaml").write_text("$extends: base.yaml\ndatabase: {port: 2}\n")


def refused(source: TypedcfgSource) -> str:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(source())
    return str(source.placed(caught.value))


def test_files_fill_ordinary_settings_by_our_rules() -> None:
    settings = Settings()

    assert settings.database == Database(host="db1", port=2)
    assert settings.address == "db://db1"


def test_where_the_source_stands_among_others_is_the_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_DATABASE__PORT", "3")

    assert Settings().database == Database(host="db1", port=3)
    assert Settings(database=Database(port=4)).database.port == 4


def test_what_nobody_sets_is_left_to_the_class() -> None:
    source = TypedcfgSource(Settings, files=["wide.yaml"], overrides=["~address", "~database.port"])

    assert source() == {"database": {"host": "db1"}}


def test_overrides_edit_what_files_say() -> None:
    Path("wide.yaml").write_text("ports: [1, 2]\ndatabases: {a: {port: 1}}\n")

    source = TypedcfgSource(Settings, files=["wide.yaml"], overrides=["ports[-1]=3", "databases.a.host=db2"])

    assert source() == {"ports": [1, 3], "databases": {"a": {"port": 1, "host": "db2"}}}


def test_a_text_means_what_its_field_can_take() -> None:
    source = TypedcfgSource(Settings, overrides=["release=12", "database.port=12", "database.host=1.5"])

    assert source() == {"release": "12", "database": {"port": 12, "host": "1.5"}}
    assert Settings.model_validate(source()).version == "12"


def test_a_key_that_is_a_method_elsewhere_is_a_key_like_others() -> None:
    source = TypedcfgSource(Settings, overrides={"keys": 1, "compile": 2, "_x": 3, "model_config": 4, "root": 5})

    assert source() == {"keys": 1, "compile": 2, "_x": 3, "model_config": 4, "root": 5}


def test_what_is_wrong_in_a_file_is_told_with_its_place() -> None:
    Path("base.yaml").write_text("address: ${nowhere}\n")

    with pytest.raises(ConfigError) as caught:
        Settings()

    assert caught.value.problems[0].where == "base.yaml:1:1"


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TypedcfgSource(Settings, files=["none.yaml"], overrides=["=1"])

    assert len(caught.value.problems) == 2


def test_what_pydantic_refuses_gets_its_place() -> None:
    Path("wide.yaml").write_text("database: {port: many}\nports: [1, x]\nspeed: 1\n")

    message = refused(TypedcfgSource(Settings, files=["wide.yaml"]))

    assert "database.port = 'many' is wrong\n  at            wide.yaml:1:12" in message
    assert "ports[1] = 'x' is wrong\n  at            wide.yaml:2:12" in message
    assert "unknown key 'speed'\n  at            wide.yaml:3:1" in message


def test_a_value_from_elsewhere_gets_no_place_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_DATABASE__PORT", "many")
    source = TypedcfgSource(Settings, files=["wide.yaml"])

    with pytest.raises(ValidationError) as caught:
        Settings()

    assert source.placed(caught.value).problems[0].where == "no file and no override"


@pytest.mark.parametrize("key", ["database", "databases.a"])
def test_a_secret_is_not_shown(key: str) -> None:
    source = TypedcfgSource(Settings, overrides={f"{key}.password": ["hunter2"], f"{key}.port": "many"})

    message = refused(source)

    assert "hunter2" not in message + source.explain() + source.explain(f"{key}.password")
    assert f"{key}.password is wrong" in message
    assert "many" in message or "databases" in key


def test_a_secret_goes_nowhere_else() -> None:
    Path("wide.yaml").write_text("database: {host: a, password: b}\naddress: ${database.password}@${database.host}\n")

    with pytest.raises(ConfigError, match=r"address is computed from database\.password, which is a secret"):
        TypedcfgSource(Settings, files=["wide.yaml"])


def test_a_section_may_be_written_as_one_text() -> None:
    Path("wide.yaml").write_text("database: {host: a, password: b}\n")

    source = TypedcfgSource(Settings, files=["wide.yaml"], overrides=["database={port: 3, password: b}"])

    assert source() == {"database": {"host": "a", "password": "b", "port": 3}}
    assert "not shown" in source.explain("database.port")


def test_places_can_be_asked_for() -> None:
    source = TypedcfgSource(Settings, files=["wide.yaml"])

    assert source.origin("database.host") == "base.yaml:1:12"
    assert "over      1  base.yaml:1:23" in source.explain("database.port")
    with pytest.raises(MissingKey, match="release"):
        source.origin("release")


def test_an_unknown_key_is_told_with_those_that_are_known() -> None:
    told = refused(TypedcfgSource(Settings, overrides=["databse.host=x"]))

    assert "a key that Settings declares: database" in told
    assert "did you mean  database" in told
