"""What the environment says, read strictly: a value that cannot be meant stops the start with a sentence.

Every function takes the environment (``os.environ`` or any mapping) first, so that tests need no process of their own.
All raise ``ImproperlyConfigured``.
"""

from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environ import Env

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
DATABASE_SCHEMES = {"sqlite", "postgres", "postgresql"}
EMAIL_SCHEMES = {"smtp", "smtp+tls", "smtp+ssl", "filemail", "consolemail"}
SHORTEST_KEY = 50


def boolean(env: Mapping[str, str], name: str, default: bool = False) -> bool:
    value = env.get(name)
    if value is None:
        return default
    if value.strip().lower() in TRUE:
        return True
    if value.strip().lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0 (also true/false, yes/no, on/off), not {value!r}.")


def count(env: Mapping[str, str], name: str) -> int:
    """How many of something; none where it does not say."""
    value = env.get(name, "").strip() or "0"
    if not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name} must be a number, 0 or more, not {value!r}.")
    return int(value)


def choice(env: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """One of a few words; the first where it does not say."""
    value = env.get(name, "").strip() or known[0]
    if value not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}, not {value!r}.")
    return value


def words(env: Mapping[str, str], name: str, default: list[str]) -> list[str]:
    """A list separated by commas."""
    if not env.get(name):
        return default
    return [word.strip() for word in env[name].split(",") if word.strip()]


def secret_key(env: Mapping[str, str], data_dir: Path) -> str:
    """The key from SECRET_KEY, else from the file ``secret_key`` in the data folder (which `make demo` writes)."""
    file = data_dir / "secret_key"
    key = env.get("SECRET_KEY", "").strip()
    origin = "SECRET_KEY"
    if not key and file.is_file():
        key = file.read_text().strip()
        origin = str(file)
    if not key:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing. Set it in the environment to at least 50 random characters, "
            "or let `make demo` write one into the data folder."
        )
    if len(key) < SHORTEST_KEY or len(set(key)) < 10 or key.startswith("django-insecure"):
        raise ImproperlyConfigured(
            f"{origin} is too weak: it needs at least {SHORTEST_KEY} random characters. "
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return key


def database(env: Mapping[str, str], data_dir: Path) -> dict:
    """Django's settings of the one database: SQLite in the data folder, or what DATABASE_URL says."""
    url = env.get("DATABASE_URL") or f"sqlite:///{data_dir / 'db.sqlite3'}"
    scheme = url.partition(":")[0]
    if scheme not in DATABASE_SCHEMES:
        # The URL itself may hold a password: name only its beginning.
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {scheme!r}; this system runs on sqlite:///path or postgres://user:password@host:5432/name."
        )
    config = _parsed(Env.db_url_config, url, "DATABASE_URL")
    if not config["NAME"] or config["NAME"] == ":memory:":
        raise ImproperlyConfigured("DATABASE_URL names no database: sqlite:///path or postgres://user:password@host:5432/name.")
    # Reconnecting for every call of the queue's broker costs three to six times its speed.
    config["CONN_MAX_AGE"] = 60
    config["CONN_HEALTH_CHECKS"] = True
    if scheme == "sqlite":
        # IMMEDIATE serialises writers: with Django's default, racing bookings fail with "database is locked".
        # FULL keeps an acknowledged booking through a power cut.
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    else:
        config["ENGINE"] = "django.db.backends.postgresql"
    return config


def email(env: Mapping[str, str], data_dir: Path) -> dict:
    """Django's EMAIL_* settings from EMAIL_URL: smtp://user:password@host:587, smtp+tls, smtp+ssl, or files when unset."""
    url = env.get("EMAIL_URL") or f"filemail:///{data_dir / 'mail'}"
    scheme = url.partition(":")[0]
    if scheme not in EMAIL_SCHEMES:
        raise ImproperlyConfigured(
            f"EMAIL_URL begins with {scheme!r}; use smtp://, smtp+tls://, smtp+ssl://, filemail:///folder or consolemail://."
        )
    config = _parsed(Env.email_url_config, url, "EMAIL_URL")
    config.setdefault("EMAIL_TIMEOUT", 10)
    if config.get("EMAIL_PORT") is None:
        config["EMAIL_PORT"] = {"smtp+tls": 587, "smtp+ssl": 465}.get(scheme, 25)
    if scheme.startswith("smtp"):
        # Keeps what the server answers, for the ledger.
        config["EMAIL_BACKEND"] = "scheduling.smtp.EmailBackend"
    if scheme == "filemail":
        config["EMAIL_FILE_PATH"] = "/" + config["EMAIL_FILE_PATH"].lstrip("/")
    return config


def _parsed(parse, url: str, name: str) -> dict:
    """The parser's own errors hold a part of the password, so they are not shown."""
    try:
        return parse(url)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} cannot be read. Is the port a number? In a user name or password, write / as %2F, ? as %3F, # as %23, @ as %40."
        ) from None
