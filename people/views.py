"""Pages of a person's own: the profile and the roles; and the admin's colours for our pages."""

from allauth.account.adapter import get_adapter
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language
from unfold.settings import get_config
from unfold.utils import convert_color

from people import languages, unsent
from people.accounts import ROLES, take
from people.forms import ProfileForm

# Role -> what is said when it is taken, and the page to go on with.
WELCOME = {
    "mentee": (_("Welcome. Find somebody who knows what you want to learn, and ask for a session."), "mentors"),
    "mentor": (_("Welcome. Say what you can help with, then offer your first hours under “My hours”."), "profile"),
}


def sent(request):
    """What a form is bound to: what was posted, be it nothing at all, or None where nothing was."""
    return request.POST if request.method == "POST" else None


@require_safe
@cache_control(public=True, max_age=3600)
def colors(request):
    """The admin's colours (settings.UNFOLD) as variables: the policy on styles allows them in no page."""
    config = get_config()
    variables = {
        f"--color-{name}-{weight}": convert_color(value)
        for name, weights in config["COLORS"].items()
        for weight, value in weights.items()
    }
    if config.get("BORDER_RADIUS"):
        variables["--border-radius"] = config["BORDER_RADIUS"]
    lines = "\n".join(f"  {name}: {value};" for name, value in variables.items())
    return HttpResponse(f":root {{\n{lines}\n}}\n", content_type="text/css; charset=utf-8")


@login_required
def profile(request):
    form = ProfileForm(sent(request), instance=request.user)
    if form.is_bound:
        # What the form compares stays locked until it is saved.
        with transaction.atomic():
            saved = form.is_valid() and form.save()
        if saved:
            languages.use(saved)
            messages.success(request, _("Saved."))
            return redirect("profile")
    return render(request, "people/profile.html", {"form": form})


@require_POST
def language(request):
    """The switch at the foot of every page. For somebody who is logged in it is their choice, for others the browser's."""
    code = request.POST.get("language")
    if request.user.is_authenticated and code in languages.names() and request.user.language != code:
        request.user.language = code
        request.user.save(update_fields=["language"])
    return set_language(request)


@require_safe
@login_required
def mails(request):
    """Where mails send those who want fewer. An address of its own: a log-in on the way would lose the anchor."""
    return redirect(f"{reverse('profile')}#mails")


@require_safe
@login_required
def security(request):
    """How the account is opened: the way to everything that allauth keeps about it."""
    return render(request, "people/security.html", {"protected": is_mfa_enabled(request.user)})


@require_POST
@login_required
def join(request):
    """Take a role. Twice is once; an unknown role is a request nobody can make from our pages."""
    role = request.POST.get("role")
    if role not in ROLES:
        messages.error(request, _("Choose whether you want to be mentored or to mentor."))
        return redirect("home")
    if role not in get_adapter().open_roles():
        messages.error(request, _("The program takes nobody in this role at the moment. Ask your program coordinator."))
        return redirect("home")
    welcome, onward = WELCOME[role]
    if take(request.user, role):
        messages.success(request, welcome)
    return redirect(onward)


def form_too_old(request, reason=""):
    """What Django asks where a form's token is not ours: mostly since its reader has logged in anew in another tab."""
    author, mine = unsent.author(request), str(request.user.pk)
    if not request.user.is_authenticated and author:
        return redirect_to_login(request.path)
    if author == mine and (back := unsent.keep(request)):
        return redirect(back)
    log_in = reverse("account_login")
    if request.user.is_authenticated and request.path == log_in:
        return redirect_to_login(request.POST.get("next", ""))
    return render(request, "403_csrf.html", {"page": unsent.page_of(request)}, status=403)
