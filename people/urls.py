from django.urls import include, path

from people import key_views, photo_views, privacy_views, suggestion_views, views

urlpatterns = [
    path("colors.css", views.colors, name="colors"),
    path("language/", views.language, name="set_language"),
    path("profile/", views.profile, name="profile"),
    path("profile/photo/", photo_views.change, name="photo_change"),
    path("profile/photo/remove/", photo_views.remove, name="photo_remove"),
    path("profile/mails/", views.mails, name="mails"),
    path("profile/security/", views.security, name="security"),
    path("profile/keys/", key_views.keys, name="access_keys"),
    path("profile/keys/add/", key_views.add, name="access_key_add"),
    path("profile/keys/<uuid:pk>/revoke/", key_views.revoke, name="access_key_revoke"),
    path("profile/privacy/", privacy_views.page, name="privacy"),
    path("profile/privacy/download/", privacy_views.download, name="privacy_download"),
    path("profile/privacy/erase/", privacy_views.erase, name="privacy_erase"),
    path("profile/privacy/withdraw/", privacy_views.withdraw, name="privacy_withdraw"),
    path("profile/skills/", suggestion_views.suggestions, name="skill_suggestions"),
    path("profile/skills/<int:pk>/take-back/", suggestion_views.take_back, name="skill_suggestion_take_back"),
    path("join/", views.join, name="join"),
    path("", include("people.api.urls")),
]
