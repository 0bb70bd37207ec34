"""Where mentors suggest skills, see what became of them, and take them back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from people import suggesting
from people.forms import SuggestionForm
from people.models import SkillSuggestion
from people.views import sent


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def suggestions(request):
    if not request.user.is_mentor:
        raise Http404
    mentor = request.user.mentor
    form = SuggestionForm(sent(request))
    if form.is_valid():
        try:
            suggesting.suggest(mentor, form.cleaned_data["name"])
        except ValidationError as no:
            form.add_error("name", no)
        else:
            messages.success(request, _("Thank you. A program coordinator looks at it."))
            return redirect("skill_suggestions")
    return render(request, "people/suggestions.html", {"form": form, "suggestions": mentor.skill_suggestions.all()[:20]})


@require_POST
@login_required
def take_back(request, pk: int):
    suggesting.take_back(get_object_or_404(SkillSuggestion, pk=pk, mentor=request.user.pk))
    return redirect("skill_suggestions")
