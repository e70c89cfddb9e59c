"""Every address of the people's door."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("auth/", include("allauth.account.urls")),
    path("api/v1/", include("commonwatt.api.urls")),
    path("", include("commonwatt.portal.urls")),
]
