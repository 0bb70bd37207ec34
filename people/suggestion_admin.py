"""Where staff settle what mentors suggest."""

from django.contrib import admin
from django.http import Http404
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from people import suggesting
from people.admin_pages import ReadOnlyAdmin, answer
from people.models import SkillSuggestion

COLOURS = {"waiting": "warning", "Accepted": "success", "Declined": "danger"}


@admin.register(SkillSuggestion)
class SkillSuggestionAdmin(ReadOnlyAdmin):
    list_display = ("name", "who", "asked_at", "state_label", "settled_by")
    list_filter = ("state",)
    list_select_related = ("mentor__user", "settled_by")
    list_per_page = 50
    search_fields = ("name",)
    fieldsets = ((None, {"fields": ("name", ("who", "asked_at"), ("state_label", "settled_by"))}),)
    actions_detail = ("accept", "decline")

    @action(
        description="Take into the list",
        permissions=["settle"],
        icon="check",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Take this skill into the list?",
            "description": "Every mentor can choose it, and mentees can search for it. Who suggested it has it at once.",
            "form_submit_text": "Take it in",
        },
    )
    def accept(self, request, form, object_id):
        return self._settle(request, object_id, suggesting.accept, "“{}” is in the list now.")

    @action(
        description="Decline",
        permissions=["settle"],
        icon="block",
        variant=ActionVariant.DEFAULT,
        dialog={
            "title": "Decline this suggestion?",
            "description": "The list stays as it is. The mentor sees that it was declined.",
            "form_submit_text": "Decline",
        },
    )
    def decline(self, request, form, object_id):
        return self._settle(request, object_id, suggesting.decline, "“{}” stays out of the list.")

    def _settle(self, request, object_id, verb, done):
        suggestion = self.get_object(request, object_id)
        if suggestion is None:
            raise Http404

        def act():
            verb(suggestion, by=request.user)
            self.log_change(request, suggestion, done.format(suggestion.name))
            return done.format(suggestion.name)

        return answer(request, act, reverse("admin:people_skillsuggestion_changelist") + "?state__exact=asked")

    def has_settle_permission(self, request, object_id=None):
        if not request.user.has_perm(suggesting.SETTLES):
            return False
        suggestion = self.get_object(request, object_id) if object_id else None
        # Once it is settled there is nothing to press.
        return suggestion is None or suggestion.state == suggesting.State.ASKED

    @display(description="Suggested by", ordering="mentor__user__first_name")
    def who(self, suggestion):
        return str(suggestion.mentor)

    @display(description="State", label=COLOURS, ordering="state")
    def state_label(self, suggestion):
        return suggestion.get_state_display()
