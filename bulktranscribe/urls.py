"""All URLs of the controller."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from bulktranscribe.api.api import api
from bulktranscribe.api.docs import docs_page, openapi_json
from bulktranscribe.integrity.health import healthz
from bulktranscribe.sign_in import SignIn, sign_in, sign_up

urlpatterns = [
    path("", include("jobs.pages.urls")),
    path("", include("review.urls")),
    path("settings/notifications/", include("jobs.notifications.urls")),
    path("api/", include("remoteworker.urls")),
    path("api/docs", docs_page, name="api-docs"),
    path("api/openapi.json", openapi_json, name="api-openapi"),
    path("api/", api.urls),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/sign-up/", sign_up, name="sign-up"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("sign-in/<str:user_id>/<str:token>/", sign_in, name="sign-in"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]
