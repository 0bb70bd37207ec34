from django.urls import path

from scheduling import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/<int:pk>/", views.session, name="session"),
    path("sessions/<int:pk>/<str:verb>/", views.session_verb, name="session_verb"),
    path("mentors/", views.mentors, name="mentors"),
    path("mentors/<int:pk>/", views.mentor, name="mentor"),
    path("mentors/<int:pk>/book/", views.book, name="book"),
    path("windows/", views.windows, name="windows"),
    path("windows/<int:pk>/delete/", views.window_delete, name="window_delete"),
]
