"""What mentees say about their sessions: staff read it, nobody changes it here."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import StackedInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from people.admin_pages import ReadOnlyAdmin
from people.export_admin import ExportAdmin
from scheduling.admin.notices import LINK
from scheduling.exports import FEEDBACK
from scheduling.models import Feedback
from scheduling.words import Rating

COLOURS = {Rating.ONE: "danger", Rating.TWO: "warning", Rating.THREE: "info", Rating.FOUR: "success", Rating.FIVE: "success"}


class FeedbackInline(StackedInline):
    """On the session's page."""

    model = Feedback
    tab = True
    fields = readonly_fields = ("rating", "sentence", "created_at")
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Feedback)
class FeedbackAdmin(ExportAdmin, ReadOnlyAdmin):
    sheet = FEEDBACK
    list_display = ("created_at", "rating_label", "sentence", "mentor", "mentee", "about")
    list_filter = (("rating", ChoicesDropdownFilter), ("created_at", RangeDateFilter))
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-created_at", "-pk")
    search_fields = (
        "session__mentor__user__first_name",
        "session__mentor__user__last_name",
        "session__mentee__user__first_name",
        "session__mentee__user__last_name",
    )
    search_help_text = "The name of the mentor or the mentee"
    fields = ("mentor", "mentee", "about", "rating", "sentence", "created_at")

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user).with_people()

    @display(description="Rating", label={value.label: colour for value, colour in COLOURS.items()}, ordering="rating")
    def rating_label(self, feedback):
        return feedback.get_rating_display()

    @display(description="Mentor")
    def mentor(self, feedback):
        return str(feedback.session.mentor)

    @display(description="Mentee")
    def mentee(self, feedback):
        return str(feedback.session.mentee)

    @display(description="Session")
    def about(self, feedback):
        link = reverse("admin:scheduling_session_change", args=[feedback.pk])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, link, f"{feedback.session.start_time:%d %b %Y}")
