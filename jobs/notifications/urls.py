from django.urls import path

from jobs.notifications import views

urlpatterns = [
    path("", views.notifications, name="notifications"),
    path("webhooks", views.add_webhook, name="webhook-add"),
    path("webhooks/<uuid:pk>/", views.webhook_page, name="webhook"),
    path("webhooks/<uuid:pk>/test", views.test_webhook, name="webhook-test"),
    path("webhooks/<uuid:pk>/secret", views.renew_secret, name="webhook-secret"),
    path("webhooks/<uuid:pk>/delete", views.delete_webhook, name="webhook-delete"),
    path("deliveries/<uuid:pk>/again", views.send_again, name="delivery-again"),
]
