"""The rest of the admin: groups, addresses, and the task queue as superusers may see it."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from people.admin_pages import ReadOnlyAdmin
from people.stale import FreshAdmin

admin.site.index_title = "Today"
# With Redis as broker the queue has no table to look at.
theirs = (Group, EmailAddress, Authenticator, UserSession, Schedule, Success, Failure, OrmQ)
admin.site.unregister([model for model in theirs if admin.site.is_registered(model)])


@admin.register(Group)
class GroupAdmin(FreshAdmin, DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(EmailAddress)
class EmailAddressAdmin(FreshAdmin, ModelAdmin):
    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    search_fields = ("email",)
    autocomplete_fields = ("user",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors, so that a superuser can take one away that is lost. What is secret in them is shown to nobody."""

    list_display = fields = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__first_name", "user__last_name", "user__email")

    def has_delete_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_superuser


class QueueAdmin(ReadOnlyAdmin):
    """A row of the queue is code that will run: superusers may look, nobody may write. Schedules are in scheduling.tasks."""

    def has_module_permission(self, request):
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request, obj=None):
        return self.has_module_permission(request)


@admin.register(Schedule)
class ScheduleAdmin(QueueAdmin):
    list_display = ("name", "func", "schedule_type", "minutes", "next_run")


@admin.register(Success, Failure)
class TaskAdmin(QueueAdmin):
    list_display = ("name", "func", "started", "stopped", "attempt_count")
    fields = ("name", "func", "started", "stopped", "attempt_count", "success")
    search_fields = ("name", "func")


@admin.register(OrmQ)
class QueuedTaskAdmin(QueueAdmin):
    list_display = ("id", "key", "lock")
    fields = ("key", "lock")
