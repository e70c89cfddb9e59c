"""The addresses of the JSON API."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from commonwatt.api.errors import in_shape, not_found
from commonwatt.api.v1 import api

app_name = "api"
urlpatterns = [
    *(
        path(str(pattern.pattern), in_shape(pattern.callback), name=pattern.name)
        for pattern in api.urls[0]
        if isinstance(pattern, URLPattern) and pattern.name != "api-root"
    ),
    path("", not_found, name="api-root"),  # the description asks where it is mounted
    re_path("", not_found, name="nothing"),
]
