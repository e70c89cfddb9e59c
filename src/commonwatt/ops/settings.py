"""Every setting: its variable, its type, its default, its check. Parsed once, at start; a bad value stops the start."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "COMMONWATT_"
# Names with our prefix that belong to the test suite and its tools; an install never reads them.
NOT_SETTINGS = re.compile(r"COMMONWATT_(TEST_.*|REFERENCE_DATA|SOAK.*)")


class BadSetting(ValueError):
    """A variable of the environment whose value cannot be used."""

    def __init__(self, *, name: str, got: str, takes: str) -> None:
        super().__init__(f"{PREFIX}{name} is {_without_password(got)!r}, but it takes {takes}.")
        self.name = name


class UnknownSetting(ValueError):
    """A variable with our prefix that no setting has: most likely a misspelt one, which would otherwise pass unnoticed."""

    def __init__(self, *, name: str, known: Iterable[str]) -> None:
        near = get_close_matches(name.removeprefix(PREFIX), list(known), n=1)
        hint = f" Did you mean {PREFIX}{near[0]}?" if near else " docs/reference/settings.md lists those there are."
        super().__init__(f"{name} is not a setting.{hint}")
        self.name = name


class DataFolderUnusable(ValueError):
    """The data folder cannot be made, read or written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"The data folder {path} cannot be used ({error.strerror}). Let {PREFIX}DATA_DIR name a folder that this user may write to."
        )


UNUSABLE = (BadSetting, UnknownSetting, DataFolderUnusable)
"""What stops a start, each with a message for whoever started it."""


def _without_password(text: str) -> str:
    """An address as it may be shown: whatever stands between the first colon and the at sign of its user part is a password."""
    return re.sub(r"(://[^:/@]*:)[^@]*@", r"\1***@", text)


def _setting(parse: Callable[[str], Any], default: Any, *, takes: str, help_text: str) -> Any:
    """A field read from the environment; `takes` finishes the sentence "it takes …"."""
    metadata = {"parse": parse, "takes": takes, "help": help_text, "default": default}
    return field(default=default, metadata=metadata)


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(text) from error
    return text


def _database(text: str) -> str:
    scheme = urlsplit(text).scheme
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError(text)
    return text


def _redis(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ValueError(text)
    return text


def _country(text: str) -> str:
    """A country, or a part of one with holidays of its own."""
    if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", text):
        raise ValueError(text)
    return text


def _networks(text: str) -> tuple[str, ...]:
    words = _words(text)
    for word in words:
        ip_network(word)
    return words


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(text)
    return text.rstrip("/")


def _mail(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme in {"smtp", "smtps"} and parts.hostname:
        return text
    if text in {"file:", "console:"}:
        return text
    raise ValueError(text)


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError(text)
    return number


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return parse


def _currency(text: str) -> str:
    if len(text) != 3 or not text.isascii() or not text.isupper():
        raise ValueError(text)
    return text


def _secret(text: str) -> str:
    if len(text) < 50:
        raise ValueError(text)
    return text


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one install."""

    data_dir: Path = _setting(
        lambda text: Path(text).expanduser().resolve(),
        Path("data"),
        takes="a folder",
        help_text="Where the embedded database, sealed readings, keys and mail files live.",
    )
    database_url: str = _setting(
        _database, "", takes="sqlite:///path/to/file or postgresql://user:password@host:port/name",
        help_text="The database. Empty: SQLite in the data folder.",
    )  # fmt: skip
    secret_key: str = _setting(
        _secret,
        "",
        takes="at least 50 characters nobody else knows",
        help_text="Signs sessions and links. Empty: generated into the data folder on first start.",
    )
    base_url: str = _setting(
        _web_address,
        "http://127.0.0.1:8000",
        takes="an address such as https://energy.example.org, without a path",
        help_text="Where people reach the portal.",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        _words,
        (),
        takes="host names separated by commas",
        help_text="Names the server answers to besides that of the base address.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        _networks,
        (),
        takes="addresses or networks separated by commas, such as 127.0.0.1 or 10.0.0.0/8",
        help_text="Proxies whose forwarded client address and scheme are believed.",
    )
    metrics_from: tuple[str, ...] = _setting(
        _networks,
        ("127.0.0.1", "::1"),
        takes="addresses or networks separated by commas, such as 127.0.0.1 or 10.0.0.0/8",
        help_text="Who may read the figures at /metrics.",
    )
    time_zone: str = _setting(_zone, "Europe/Brussels", takes="a zone such as Europe/Brussels", help_text="The operator's own time zone.")
    country: str = _setting(
        _country, "BE", takes="a country code such as BE or GB-SCT", help_text="Whose public holidays count for new sites and programs."
    )
    language: str = _setting(_choice("en"), "en", takes="en", help_text="The language of people who chose none.")
    currency: str = _setting(_currency, "EUR", takes="three capital letters such as EUR", help_text="The currency of new programs.")
    email_url: str = _setting(
        _mail, "file:", takes="smtp://user:password@host:587, smtps://…:465, file: or console:",
        help_text="How mail leaves. `file:` writes each message into the data folder.",
    )  # fmt: skip
    email_from: str = _setting(str, "Commonwatt <noreply@localhost>", takes="a sender", help_text="The sender of mail.")
    redis_url: str = _setting(
        _redis, "", takes="redis://host:port/number", help_text="Optional: cache and rate limits shared by several processes."
    )
    session_idle_minutes: int = _setting(
        _positive, 60 * 24 * 14, takes="a whole number above 0", help_text="Sign-out after so long without a visit."
    )
    seal_after_days: int = _setting(_positive, 7, takes="a whole number above 0", help_text="How long after its end a month is sealed.")
    log_format: str = _setting(_choice("text", "json"), "text", takes="text or json", help_text="How log lines are written.")
    log_level: str = _setting(
        _choice("debug", "info", "warning", "error"),
        "info",
        takes="debug, info, warning or error",
        help_text="The least important lines that are written.",
    )
    debug: bool = _setting(  # a keyword would hide that it is the default
        _flag, default=False, takes="true or false", help_text="Developer error pages. Never on a machine that others reach."
    )

    @property
    def database(self) -> str:
        """The database's address, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'commonwatt.sqlite3'}"

    @property
    def lake_dir(self) -> Path:
        """Where sealed months lie."""
        return self.data_dir / "lake"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment; raises BadSetting for a value that cannot be used, UnknownSetting for a name that is none."""
    known = {item.name.upper(): item for item in fields(Settings)}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known and not NOT_SETTINGS.fullmatch(name):
            raise UnknownSetting(name=name, known=known)
    given: dict[str, Any] = {}
    for name, item in known.items():
        text = environment.get(PREFIX + name, "")
        if text == "":
            continue
        try:
            given[item.name] = item.metadata["parse"](text)
        except (ValueError, KeyError) as error:
            shown = "(not shown)" if item.name == "secret_key" else text
            raise BadSetting(name=name, got=shown, takes=item.metadata["takes"]) from error
    settings = Settings(**given)
    if "data_dir" not in given:
        settings = Settings(**given, data_dir=Path("data").resolve())
    return settings


def secret_key(settings: Settings) -> str:
    """The signing key: from the environment, or the data folder's, generated there on first use (readable by its owner only).

    Raises:
        DataFolderUnusable: When the folder cannot be made or written to.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret-key"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(64))
        return path.read_text().strip()
    except OSError as error:
        raise DataFolderUnusable(settings.data_dir, error) from error


def _write_once(path: Path, text: str) -> None:
    """Write a file that others see whole or not at all; the first of several processes wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
