"""The page on which a mentee says how a session was."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from people.views import sent
from scheduling import feedback as rules
from scheduling.forms import FeedbackForm
from scheduling.views import session_or_404, tell_errors


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def feedback(request, pk: int):
    session = session_or_404(request, pk)
    if refusal := rules.refusal(session, request.user):
        tell_errors(request, refusal)
        return redirect("session", pk)
    said = rules.of(session, request.user)
    form = FeedbackForm(sent(request), initial={"rating": said.rating, "sentence": said.sentence} if said else {})
    if form.is_valid():
        try:
            rules.give(session, **form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Thank you. You can change it for a week."))
            return redirect("session", pk)
    return render(request, "scheduling/feedback.html", {"session": session, "form": form, "said": said})
