from django.urls import path

from review import views

urlpatterns = [
    path("transcripts/<uuid:pk>/", views.transcript_page, name="transcript"),
    path("transcripts/<uuid:pk>/download.<slug:format>", views.download, name="transcript-download"),
]
