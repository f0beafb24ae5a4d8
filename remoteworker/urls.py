from django.urls import path

from remoteworker import views

urlpatterns = [
    path("jobs/<uuid:job_id>/inputs/<uuid:input_id>", views.worker_input, name="worker-input"),
    path("jobs/<uuid:job_id>/worker/outputs", views.worker_outputs, name="worker-outputs"),
    path("jobs/<uuid:job_id>/worker/complete", views.worker_complete, name="worker-complete"),
    path("remote-worker/status", views.remote_worker_status, name="remote-worker-status"),
]
