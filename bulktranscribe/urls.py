"""Every address of the controller."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from bulktranscribe.api import api
from bulktranscribe.health import healthz
from bulktranscribe.sign_in import sign_in

urlpatterns = [
    path("", include("jobs.urls")),
    path("", include("review.urls")),
    path("api/", include("remoteworker.urls")),
    path("api/", api.urls),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("sign-in/<str:user_id>/<str:token>/", sign_in, name="sign-in"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]
