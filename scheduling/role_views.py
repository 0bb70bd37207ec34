"""Where mentors and mentees give up their role. What becomes of everything is decided in ``leaving``; the page says it before."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from people.accounts import ROLES
from people.views import sent
from scheduling import booking, leaving
from scheduling.forms import GiveUpForm


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def give_up(request, role: str):
    """GET lists what is canceled, what goes and what stays; POST does it."""
    user = request.user
    if role not in ROLES:
        raise Http404
    if not getattr(user, f"is_{role}"):
        messages.info(request, _("You do not have this role, or have given it up already."))
        return redirect("profile")
    form = GiveUpForm(sent(request))
    if form.is_valid():
        try:
            canceled = leaving.give_up(user, role, by=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, " ".join(error.messages))
        else:
            tell(request, role, len(canceled))
            return redirect("profile")
    rows = [(session, booking.refusal(session, booking.VERBS["cancel"], user)) for session in leaving.ahead(user, role)]
    context = {
        "form": form,
        "role": role,
        "rows": rows,
        "cannot": any(refusal for _, refusal in rows),
        "windows": user.mentor.availabilities.ahead().count() if role == "mentor" else 0,
        "may_return": role in get_adapter().open_roles(),
    }
    return render(request, "scheduling/role_give_up.html", context)


def tell(request, role: str, canceled: int) -> None:
    done = _("You are no mentor any more.") if role == "mentor" else _("You are no mentee any more.")
    said = ngettext(
        "%d session is canceled, and we tell the other by mail.",
        "%d sessions are canceled, and we tell the others by mail.",
        canceled,
    )
    messages.success(request, f"{done} {said % canceled}" if canceled else done)
