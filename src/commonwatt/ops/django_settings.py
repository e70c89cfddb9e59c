"""Django's settings, derived from ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from commonwatt.ops import settings as own

COMMONWATT = own.load()

SECRET_KEY = own.secret_key(COMMONWATT)
DEBUG = COMMONWATT.debug
BASE_URL = COMMONWATT.base_url
_host = BASE_URL.split("//", 1)[1].rsplit(":", 1)[0]
_local = _host in {"127.0.0.1", "localhost", "[::1]"}
ALLOWED_HOSTS = [_host, *COMMONWATT.allowed_hosts, *(["127.0.0.1", "localhost", "[::1]"] if _local else [])]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "commonwatt.accounts",
    "commonwatt.outbox",
    "commonwatt.jobs",
    "commonwatt.ledger",
    "commonwatt.notify",
    "commonwatt.metering",
    "commonwatt.demand_response",
    "commonwatt.settlement",
    "commonwatt.portal",
    "commonwatt.api",
    "commonwatt.ops",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "django_htmx",
    "django_vite",
    "csp",
]

MIDDLEWARE = [
    "commonwatt.ops.requests.noted",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "commonwatt.portal.middleware.Present",
]

ROOT_URLCONF = "commonwatt.ops.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "commonwatt.portal.context.navigation",
            ],
        },
    }
]

# No connection outlives its request (conn_max_age=0): every request of the ASGI server has a thread of its own, in which the next one
# would not find it again. PostgreSQL's come from a pool, which checks each before it hands it out.
_database: dict[str, Any] = dict(dj_database_url.parse(COMMONWATT.database, conn_max_age=0, conn_health_checks=True))
if _database["ENGINE"].endswith("sqlite3"):
    # Readers never wait for the writer (WAL), a commit is on the disk when it returns (FULL), and a transaction takes the write
    # lock at its start, so that it cannot fail half-way for having read first.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-32000;",
    }
    COMMONWATT.data_dir.mkdir(parents=True, exist_ok=True)
else:
    _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": 16, "timeout": 10}}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "portal:landing"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_ADAPTER = "commonwatt.portal.sign_in.Adapter"
ACCOUNT_FORMS = {
    "login": "commonwatt.portal.entrance_forms.SignInForm",
    "reset_password": "commonwatt.portal.entrance_forms.ResetForm",
    "signup": "commonwatt.portal.sign_up.SignUpForm",
}
ACCOUNT_CHANGE_EMAIL = True  # one address each, changed once the new one is confirmed
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up, and in no other
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password or address is told to the address on file
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# On top of allauth's own limits: codes that people type.
ACCOUNT_RATE_LIMITS = {"code": "10/m/ip,60/h/ip"}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.split(":", 1)[0]

SESSION_COOKIE_NAME = "commonwatt_session"
SESSION_COOKIE_AGE = COMMONWATT.session_idle_minutes * 60
SESSION_SAVE_EVERY_REQUEST = False  # kept alive every few minutes by portal.middleware: a page is not a write
CSRF_COOKIE_NAME = "commonwatt_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BASE_URL.startswith("https:")
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if BASE_URL.startswith("https:") else 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = COMMONWATT.language
LANGUAGES = [("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # inside; people see their site's zone

STATIC_URL = "static/"
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.AppDirectoriesFinder"]
# Served by ops.static from where they lie; nothing is collected.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/.+$"  # their names carry a digest of their content

CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if COMMONWATT.redis_url:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": COMMONWATT.redis_url}}

_bundle = Path(__file__).resolve().parent.parent / "portal" / "static" / "dist"
DJANGO_VITE = {"default": {"dev_mode": False, "static_url_prefix": "dist", "manifest_path": _bundle / "manifest.json"}}

_mail = urlsplit(COMMONWATT.email_url)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = COMMONWATT.email_from
EMAIL_SUBJECT_PREFIX = ""
if _mail.scheme in {"smtp", "smtps"}:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp" and EMAIL_PORT == 587
    EMAIL_TIMEOUT = 20
elif _mail.scheme == "file":
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = COMMONWATT.data_dir / "mail"
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LOGGING_CONFIG = None  # structlog is set up by the command line (ops.logs)
