"""The one settings file. Everything the environment may say is read in the first block; docs/settings.md explains each."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from project import environment
from project.desk import UNFOLD  # noqa: F401  the admin's name, colours and menu

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "data").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
DEBUG = environment.boolean(os.environ, "DEBUG")
DEMO = environment.boolean(os.environ, "DEMO")
# Staff see everybody's data: the admin opens to them with a second factor only.
STAFF_SECOND_FACTOR = environment.boolean(os.environ, "STAFF_SECOND_FACTOR", default=not (DEBUG or DEMO))
SECRET_KEY = environment.secret_key(os.environ, DATA_DIR)
SITE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = environment.words(
    os.environ, "ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname, "127.0.0.1", "localhost", "[::1]"]
)
# Whom to believe where a visitor comes from: anybody can write that header.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.count(os.environ, "TRUSTED_PROXY_COUNT")
# A demo never touches a real database, queue or mail server, whatever the shell it is started from has set.
servers = {} if DEMO else os.environ
DATABASES = {"default": environment.database(servers, DATA_DIR)}
REDIS_URL = servers.get("REDIS_URL", "")
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", f"mentoring@{urlsplit(SITE_URL).hostname}")
vars().update(environment.email(servers, DATA_DIR))

# Behind TLS everything that protects a cookie is on; a demo on loopback has no TLS to insist on.
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    # Unfold first: it replaces the admin's site and templates.
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "import_export",
    "simple_history",
    "django_q",
    "django_filters",
    "phonenumber_field",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "people",
    "scheduling",
    "project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.HealthMiddleware",
    "project.static_files.TextCompressionMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "project.middleware.LargestBodyMiddleware",
    "project.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "people.sessions.SessionLimitsMiddleware",
    "people.languages.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "project.middleware.PersonalPagesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "project.middleware.SecondFactorMiddleware",
    "people.unsent.UnsentMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "scheduling.middleware.TimeZoneMiddleware",
    "project.middleware.UnavailableMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "people.unsent.written_by",
                "scheduling.middleware.program",
            ],
        },
    },
]
FORM_RENDERER = "people.unsent.FormRenderer"

# ---- data -----------------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Not the memory of one process: the queue's heartbeat and the limits on log-ins are shared by all of them.
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # With Django's 300 a busy day throws out the heartbeat, and sheets that wait for their confirmation.
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
    # How often programs ask: each process counts for itself, and writes nothing for each question.
    "throttles": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "throttles",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
    # What each process may find out for itself, and forgets soon: the numbers in the desk's menu.
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "memory"},
}
# Photos: no address leads there but the view that asks who looks (scheduling/photo_views.py).
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "static/"
# Serve files straight from the packages: no collectstatic between a new version and its first page.
WHITENOISE_USE_FINDERS = True
# In seconds: their addresses change with them. (What styles themselves point at, the fonts of the admin, has no version.)
WHITENOISE_MAX_AGE = 30 * 24 * 3600
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "project.static_files.VersionedStaticFiles"},
}

Q_CLUSTER = {
    "name": "team-production-system",
    "workers": 2,
    "queue_limit": 4,
    "bulk": 1,
    "timeout": 60,
    # Longer than the whole queue of one worker can take: a task handed out is not handed out again while it waits.
    "retry": 240,
    "max_attempts": 3,
    "catch_up": False,
    # Successes are not kept: the notice rows are the proof, and each kept row slows every later task.
    "save_limit": -1,
    "poll": 0.5,
    "label": "Task queue",
} | ({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"})

# ---- accounts -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "project.passwords.KnownPasswordValidator"},
    {"NAME": "project.passwords.ProgramNameValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "scheduling.joining.AccountAdapter"
ACCOUNT_FORMS = {"signup": "people.forms.SignupForm", "reset_password_from_key": "people.forms.SetPasswordForm"}
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# A password set from a mailed link is a log-in; a second factor, where there is one, is still asked for.
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_USERNAME_MIN_LENGTH = 1
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Beside allauth's own limits.
ACCOUNT_RATE_LIMITS = {"download_my_data": "6/h/user"}
MFA_FORMS = {"add_webauthn": "people.forms.KeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers allow keys on https, and on localhost for those who try it out.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# The history shows; it is no way around the verbs.
SIMPLE_HISTORY_REVERT_DISABLED = True

# ---- time and language ----------------------------------------------------------------------------------------------

# What a mail speaks to whoever chose nothing, and a page where the browser speaks neither.
LANGUAGE_CODE = environment.choice(os.environ, "LANGUAGE_CODE", ("en", "de"))
# As their speakers call them.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "project" / "locale"]
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
# The database and the machine think in UTC; people see their own zone (scheduling/middleware.py).
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "project.formats"

# ---- the web --------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Nobody's script reads them: forms carry the token.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "people.views.form_too_old"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Who watches over the web server may ask it without the proxy before it.
    SECURE_REDIRECT_EXEMPT = ["^healthz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    CSRF_TRUSTED_ORIGINS = [SITE_URL]

# ---- the API (docs/api.md) ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["people.api.keys.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "people.api.answers.AlwaysJSON",
    "DEFAULT_RENDERER_CLASSES": ["people.api.answers.JSON"],
    "DEFAULT_PARSER_CLASSES": ["people.api.answers.AnyJSON"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "people.api.answers.Pages",
    "DEFAULT_SCHEMA_CLASS": "people.api.schema.Description",
    "DEFAULT_THROTTLE_CLASSES": ["people.api.answers.ReadingThrottle"],
    # In each process.
    "DEFAULT_THROTTLE_RATES": {"reading": "300/min"},
    "DEFAULT_METADATA_CLASS": None,
    "SCHEMA_COERCE_PATH_PK": False,
    "EXCEPTION_HANDLER": "people.api.refusals.refused",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Team Production System",
    "DESCRIPTION": "Read-only. Each key reads what its owner may see on the pages.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "PATH_CONVERTER_OVERRIDES": {
        "key": int,
        "skills": {"type": "string", "minLength": 1, "description": "Names of skills, separated by commas."},
    },
    "PREPROCESSING_HOOKS": ["people.api.schema.one_of_each"],
}
# Pages of these origins may read the API in their visitors' browsers, with a key: no cookie goes along.
CORS_ALLOWED_ORIGINS = environment.words(os.environ, "CORS_ORIGINS", default=[])
CORS_URLS_REGEX = (
    r"^/(api|auth|myprofile|mentor|mentorinfo|mentorinfoupdate|mentee|menteeinfo|menteeinfoupdate|availabilty|availability"
    r"|session|archivesession|sessionrequest|notificationsettings)(/|$)"
)
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "OPTIONS"]
CORS_EXPOSE_HEADERS = ["ETag", "Link", "Retry-After"]

# ---- spreadsheets ---------------------------------------------------------------------------------------------------

IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
# Uploads hold personal data: between preview and confirmation they wait in the cache, which forgets them after a day.
IMPORT_EXPORT_TMP_STORAGE_CLASS = "import_export.tmp_storages.CacheStorage"
IMPORT_EXPORT_IMPORT_IGNORE_BLANK_LINES = True

# ---- words of the machine -------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would print each line a second time.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
