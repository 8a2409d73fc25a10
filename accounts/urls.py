"""The addresses under /accounts/ that are ours; the rest of them are django-allauth's."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.account_settings, name="account-settings"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", views.token_revoke, name="token-revoke"),
]
