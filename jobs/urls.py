from django.urls import path

from jobs import tus, views

urlpatterns = [
    path("", views.session_list, name="sessions"),
    path("sessions/<uuid:pk>/", views.session_page, name="session"),
    path("sessions/<uuid:pk>/uploads", views.upload_files, name="session-upload"),
    path("sessions/<uuid:pk>/start", views.start_job, name="session-start"),
    path("jobs/<uuid:pk>/cancel", views.cancel_job, name="job-cancel"),
    path("jobs/<uuid:pk>/retry", views.retry_job, name="job-retry"),
    path("inputs/<uuid:pk>/", views.file_page, name="input"),
    path("inputs/<uuid:pk>/cancel", views.cancel_input, name="input-cancel"),
    path("inputs/<uuid:pk>/retry", views.retry_input, name="input-retry"),
    path("uploads/<uuid:pk>/media", views.upload_media, name="upload-media"),
    path("uploads/<uuid:pk>/levels", views.upload_levels, name="upload-levels"),
    path("api/sessions/<uuid:pk>/incoming", tus.incoming_files, name="session-incoming"),
    path("api/incoming/<uuid:pk>", tus.incoming_file, name="incoming"),
]
