"""Settings are read once, checked, and refused with a message that says which one, what it got and what it takes."""

from __future__ import annotations

import threading
from dataclasses import fields
from pathlib import Path

import pytest

from commonwatt.ops.settings import BadSetting, DataFolderUnusable, Settings, UnknownSetting, load, secret_key


def test_without_any_variable_an_install_is_embedded_and_local() -> None:
    """A first start needs no setting: SQLite in the data folder, on this machine alone, mail written to files."""
    settings = load({})
    assert settings.data_dir == Path("data").resolve()
    assert settings.database == f"sqlite:///{Path('data').resolve()}/commonwatt.sqlite3"
    assert (settings.base_url, settings.email_url, settings.debug) == ("http://127.0.0.1:8000", "file:", False)


def test_values_are_parsed_into_their_types(tmp_path: Path) -> None:
    """Folders, lists, numbers and flags arrive as such; an empty variable counts as not set."""
    settings = load(
        {
            "COMMONWATT_DATA_DIR": str(tmp_path),
            "COMMONWATT_ALLOWED_HOSTS": "a.example.org, b.example.org,",
            "COMMONWATT_SEAL_AFTER_DAYS": "3",
            "COMMONWATT_DEBUG": "true",
            "COMMONWATT_BASE_URL": "https://energy.example.org/",
            "COMMONWATT_TIME_ZONE": "",
            "HOME": "/somewhere",
        }
    )
    assert settings.data_dir == tmp_path
    assert settings.lake_dir == tmp_path / "lake"
    assert settings.allowed_hosts == ("a.example.org", "b.example.org")
    assert (settings.seal_after_days, settings.debug) == (3, True)
    assert (settings.base_url, settings.time_zone) == ("https://energy.example.org", "Europe/Brussels")


BAD = {
    "DATABASE_URL": "mysql://u@h/d",
    "SECRET_KEY": "short",
    "BASE_URL": "energy.example.org",
    "TRUSTED_PROXIES": "proxy",
    "METRICS_FROM": "10.0.0.0/40",
    "TIME_ZONE": "Europe/Brusels",
    "COUNTRY": "Belgium",
    "LANGUAGE": "xx",
    "CURRENCY": "euro",
    "EMAIL_URL": "smtp:",
    "REDIS_URL": "http://h",
    "SESSION_IDLE_MINUTES": "0",
    "SEAL_AFTER_DAYS": "soon",
    "LOG_FORMAT": "xml",
    "LOG_LEVEL": "loud",
    "DEBUG": "yes",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_by_name(name: str) -> None:
    """A value that cannot be used stops the start: the message has the variable, what it got, and what it takes."""
    takes = next(item.metadata["takes"] for item in fields(Settings) if item.name.upper() == name)
    got = "(not shown)" if name == "SECRET_KEY" else BAD[name]
    with pytest.raises(BadSetting) as refusal:
        load({f"COMMONWATT_{name}": BAD[name]})
    assert str(refusal.value) == f"COMMONWATT_{name} is {got!r}, but it takes {takes}."


def test_every_setting_that_can_be_wrong_is_tried() -> None:
    """The list above leaves out only settings for which any text will do."""
    any_text = {"DATA_DIR", "ALLOWED_HOSTS", "EMAIL_FROM"}
    assert set(BAD) | any_text == {item.name.upper() for item in fields(Settings)}


def test_a_misspelt_name_stops_the_start() -> None:
    """A variable with our prefix that is no setting is named, with the one that was probably meant."""
    with pytest.raises(UnknownSetting, match=r"^COMMONWATT_TIMEZONE is not a setting\. Did you mean COMMONWATT_TIME_ZONE\?$"):
        load({"COMMONWATT_TIMEZONE": "Europe/Brussels"})
    with pytest.raises(UnknownSetting, match=r"COMMONWATT_XYZZY is not a setting\. docs/reference/settings\.md lists those there are"):
        load({"COMMONWATT_XYZZY": "1"})


def test_names_of_the_test_suite_are_let_pass() -> None:
    """The variables of the tests do not stop a process that the tests start."""
    load({"COMMONWATT_TEST_REQUIRE": "all", "COMMONWATT_REFERENCE_DATA": "/d", "COMMONWATT_SOAK_ROUNDS": "200"})


def test_no_password_is_repeated_in_a_message() -> None:
    """A database address that is refused is shown without its password."""
    with pytest.raises(BadSetting) as refusal:
        load({"COMMONWATT_DATABASE_URL": "mysql://otto:tiger@db/energy"})
    assert "mysql://otto:***@db/energy" in str(refusal.value)
    assert "tiger" not in str(refusal.value)


def test_the_signing_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """The first start makes a key that nobody else can read; later starts, and others at the same time, use the same one."""
    settings = load({"COMMONWATT_DATA_DIR": str(tmp_path / "new" / "folder")})
    keys: list[str] = []
    ready = threading.Barrier(8)

    def first_start() -> None:
        ready.wait()
        keys.append(secret_key(settings))

    threads = [threading.Thread(target=first_start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 64
    files = list(settings.data_dir.iterdir())
    assert [file.name for file in files] == ["secret-key"]
    assert files[0].stat().st_mode & 0o777 == 0o600
    given = load({"COMMONWATT_DATA_DIR": str(tmp_path / "unused"), "COMMONWATT_SECRET_KEY": "k" * 50})
    assert secret_key(given) == "k" * 50


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Where the data folder cannot be made, the message names it and the variable to change."""
    (tmp_path / "file").write_text("")
    with pytest.raises(
        DataFolderUnusable, match=r"The data folder .*/file/data cannot be used \(Not a directory\)\. Let COMMONWATT_DATA_DIR"
    ):
        secret_key(load({"COMMONWATT_DATA_DIR": str(tmp_path / "file" / "data")}))
