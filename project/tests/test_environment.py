"""What the environment may say, and the sentence that stops the start where it cannot be meant."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from project import environment

pytestmark = pytest.mark.once
STRONG = "k3y-of-the-tests-with-at-least-fifty-characters-0123456789"
MISSING = (
    "SECRET_KEY is missing. Set it in the environment to at least 50 random characters, "
    "or let `make demo` write one into the data folder."
)
WEAK = (
    "{} is too weak: it needs at least 50 random characters. "
    "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
)


def refused(function, *arguments) -> str:
    with pytest.raises(ImproperlyConfigured) as error:
        function(*arguments)
    return str(error.value)


# ---- yes and no -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["1", "true", "YES", " On "])
def test_yes(said):
    assert environment.boolean({"DEBUG": said}, "DEBUG") is True


@pytest.mark.parametrize("said", ["0", "False", "no", "OFF", ""])
def test_no(said):
    assert environment.boolean({"DEBUG": said}, "DEBUG", default=True) is False


def test_nothing_said_is_the_default():
    assert environment.boolean({}, "DEBUG") is False
    assert environment.boolean({}, "DEBUG", default=True) is True


def test_neither_yes_nor_no_stops_the_start():
    sentence = "DEBUG must be 1 or 0 (also true/false, yes/no, on/off), not 'maybe'."
    assert refused(environment.boolean, {"DEBUG": "maybe"}, "DEBUG") == sentence


def test_words_are_separated_by_commas():
    assert environment.words({"ALLOWED_HOSTS": "desk.example.org, 10.0.0.7,"}, "ALLOWED_HOSTS", []) == [
        "desk.example.org",
        "10.0.0.7",
    ]
    assert environment.words({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS", ["localhost"]) == ["localhost"]


# ---- the key ----------------------------------------------------------------------------------------------------------------


def test_the_key_comes_from_the_environment_before_the_file(tmp_path):
    (tmp_path / "secret_key").write_text(STRONG[::-1])
    assert environment.secret_key({"SECRET_KEY": STRONG}, tmp_path) == STRONG
    assert environment.secret_key({"SECRET_KEY": " "}, tmp_path) == STRONG[::-1]


def test_the_line_end_in_the_key_file_is_no_part_of_the_key(tmp_path):
    (tmp_path / "secret_key").write_text(f"{STRONG}\n")
    assert environment.secret_key({}, tmp_path) == STRONG


def test_no_key_stops_the_start(tmp_path):
    assert refused(environment.secret_key, {}, tmp_path) == MISSING


def test_an_empty_key_file_is_no_key(tmp_path):
    (tmp_path / "secret_key").write_text("\n")
    assert refused(environment.secret_key, {}, tmp_path) == MISSING


@pytest.mark.parametrize(
    "key",
    [
        STRONG[:49],
        "a1" * 30,
        f"django-insecure-{STRONG}",
    ],
)
def test_a_weak_key_stops_the_start_and_is_not_told(tmp_path, key):
    assert refused(environment.secret_key, {"SECRET_KEY": key}, tmp_path) == WEAK.format("SECRET_KEY")
    (tmp_path / "secret_key").write_text(key)
    assert refused(environment.secret_key, {}, tmp_path) == WEAK.format(tmp_path / "secret_key")


# ---- the database -----------------------------------------------------------------------------------------------------------


def test_without_a_word_the_database_is_sqlite_in_the_data_folder(tmp_path):
    config = environment.database({}, tmp_path)
    assert (config["ENGINE"], config["NAME"]) == ("django.db.backends.sqlite3", str(tmp_path / "db.sqlite3"))
    # What keeps racing bookings apart and an acknowledged one safe.
    assert config["OPTIONS"] == {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }


def test_sqlite_somewhere_else_gets_the_same_settings(tmp_path):
    config = environment.database({"DATABASE_URL": "sqlite:////srv/desk.sqlite3"}, tmp_path)
    assert config == environment.database({}, tmp_path) | {"NAME": "/srv/desk.sqlite3"}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql(tmp_path, scheme):
    config = environment.database({"DATABASE_URL": f"{scheme}://desk:p%40ss@db.internal:5433/desk?sslmode=require"}, tmp_path)
    assert {name: config[name] for name in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME", "OPTIONS")} == {
        "ENGINE": "django.db.backends.postgresql",
        "USER": "desk",
        "PASSWORD": "p@ss",
        "HOST": "db.internal",
        "PORT": 5433,
        "NAME": "desk",
        "OPTIONS": {"sslmode": "require"},
    }


def test_another_database_stops_the_start_and_the_password_is_not_told(tmp_path):
    sentence = refused(environment.database, {"DATABASE_URL": "mysql://desk:hunter2@db/desk"}, tmp_path)
    assert sentence == (
        "DATABASE_URL begins with 'mysql'; this system runs on sqlite:///path or postgres://user:password@host:5432/name."
    )


@pytest.mark.parametrize(
    "url", ["postgres://desk:hunter2@db:5432/", "postgres://desk:hunter2@db", "sqlite://", "sqlite:///", "sqlite:///:memory:"]
)
def test_a_database_without_a_name_stops_the_start(tmp_path, url):
    sentence = "DATABASE_URL names no database: sqlite:///path or postgres://user:password@host:5432/name."
    assert refused(environment.database, {"DATABASE_URL": url}, tmp_path) == sentence


# ---- mail ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "name", "url"),
    [
        (environment.database, "DATABASE_URL", "postgres://u:se/cret@h/db"),
        (environment.database, "DATABASE_URL", "postgres://u:secret@h:port/db"),
        (environment.email, "EMAIL_URL", "smtp://u:se/cret@h"),
    ],
)
def test_an_address_that_cannot_be_read_stops_the_start_and_the_password_is_not_told(tmp_path, read, name, url):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read({name: url}, tmp_path)
    assert str(refusal.value).startswith(f"{name} cannot be read.")
    assert "cret" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(("scheme", "port"), [("smtp", 25), ("smtp+tls", 587), ("smtp+ssl", 465)])
def test_mail_without_a_port_goes_to_the_usual_one(tmp_path, scheme, port):
    assert environment.email({"EMAIL_URL": f"{scheme}://mail.example.org"}, tmp_path)["EMAIL_PORT"] == port


def test_without_a_word_mail_goes_to_files_in_the_data_folder(tmp_path):
    config = environment.email({}, tmp_path)
    assert config["EMAIL_BACKEND"] == "django.core.mail.backends.filebased.EmailBackend"
    assert config["EMAIL_FILE_PATH"] == str(tmp_path / "mail")


@pytest.mark.parametrize(
    ("scheme", "security"),
    [("smtp", {}), ("smtp+tls", {"EMAIL_USE_TLS": True}), ("smtp+ssl", {"EMAIL_USE_SSL": True})],
)
def test_mail_goes_to_a_server(tmp_path, scheme, security):
    config = environment.email({"EMAIL_URL": f"{scheme}://desk:hunter2@mail.example.org:587"}, tmp_path)
    expected = {
        "EMAIL_BACKEND": "scheduling.smtp.EmailBackend",
        "EMAIL_HOST": "mail.example.org",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "desk",
        "EMAIL_HOST_PASSWORD": "hunter2",
        # A sender's lease is two minutes: a server that says nothing must not hold it for longer.
        "EMAIL_TIMEOUT": 10,
    } | security
    assert {name: config[name] for name in expected} == expected
    assert {name for name in config if name.startswith("EMAIL_USE_")} == set(security)


def test_another_kind_of_mail_stops_the_start_and_the_password_is_not_told(tmp_path):
    sentence = refused(environment.email, {"EMAIL_URL": "http://desk:hunter2@mail.example.org"}, tmp_path)
    assert sentence == (
        "EMAIL_URL begins with 'http'; use smtp://, smtp+tls://, smtp+ssl://, filemail:///folder or consolemail://."
    )


# ---- from end to end ------------------------------------------------------------------------------------------------------------


def start(data_dir, **variables) -> subprocess.CompletedProcess:
    """`manage.py check` in an environment that says only this."""
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir)} | variables
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=60
    )


def test_nothing_starts_without_a_key(tmp_path):
    check = start(tmp_path)
    assert check.returncode == 1
    assert check.stderr.splitlines()[-1].endswith(MISSING)


def test_a_password_in_a_wrong_url_is_not_printed(tmp_path):
    check = start(tmp_path, SECRET_KEY=STRONG, DATABASE_URL="mysql://desk:hunter2@db/desk")
    assert check.returncode == 1
    assert "DATABASE_URL begins with 'mysql'" in check.stderr.splitlines()[-1]
    assert "hunter2" not in check.stdout + check.stderr


def test_with_a_key_it_starts(tmp_path):
    check = start(tmp_path, SECRET_KEY=STRONG)
    assert (check.returncode, check.stdout) == (0, "System check identified no issues (0 silenced).\n"), check.stderr
