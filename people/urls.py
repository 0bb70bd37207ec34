from django.urls import path

from people import views

urlpatterns = [
    path("colors.css", views.colors, name="colors"),
    path("profile/", views.profile, name="profile"),
    path("profile/mails/", views.mails, name="mails"),
    path("join/", views.join, name="join"),
]
