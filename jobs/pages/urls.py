from django.urls import path

from jobs.pages import token_settings, views
from jobs.uploads import tus

urlpatterns = [
    path("", views.session_list, name="sessions"),
    path("sessions/<uuid:pk>/", views.session_page, name="session"),
    path("sessions/<uuid:pk>/uploads", views.upload_files, name="session-upload"),
    path("sessions/<uuid:pk>/start", views.start_job, name="session-start"),
    path("sessions/<uuid:pk>/rename", views.rename_session, name="session-rename"),
    path("sessions/<uuid:pk>/retention", views.keep_session, name="session-retention"),
    path("sessions/<uuid:pk>/delete", views.delete_session, name="session-delete"),
    path("sessions/<uuid:pk>/restore", views.restore_session, name="session-restore"),
    path("sessions/<uuid:pk>/trash/empty", views.empty_trash, name="trash-empty"),
    path("jobs/<uuid:pk>/delete", views.delete_job, name="job-delete"),
    path("jobs/<uuid:pk>/restore", views.restore_job, name="job-restore"),
    path("uploads/<uuid:pk>/delete", views.delete_upload, name="upload-delete"),
    path("uploads/<uuid:pk>/restore", views.restore_upload, name="upload-restore"),
    path("jobs/<uuid:pk>/cancel", views.cancel_job, name="job-cancel"),
    path("jobs/<uuid:pk>/retry", views.retry_job, name="job-retry"),
    path("inputs/<uuid:pk>/", views.file_page, name="input"),
    path("inputs/<uuid:pk>/partial/<slug:format>", views.partial_output, name="input-partial"),
    path("inputs/<uuid:pk>/cancel", views.cancel_input, name="input-cancel"),
    path("inputs/<uuid:pk>/retry", views.retry_input, name="input-retry"),
    path("uploads/<uuid:pk>/media", views.upload_media, name="upload-media"),
    path("uploads/<uuid:pk>/levels", views.upload_levels, name="upload-levels"),
    path("settings/", token_settings.settings_home, name="settings"),
    path("settings/tokens/", token_settings.tokens_page, name="settings-tokens"),
    path("settings/tokens/<uuid:pk>/revoke", token_settings.revoke_token, name="settings-token-revoke"),
    path("api/sessions/<uuid:pk>/incoming", tus.incoming_files, name="session-incoming"),
    path("api/incoming/<uuid:pk>", tus.incoming_file, name="incoming"),
]
