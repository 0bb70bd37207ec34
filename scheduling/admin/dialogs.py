"""The buttons of a session that only ask "really?": each calls one verb, after a dialog."""

from django import forms
from django.http import Http404
from django.shortcuts import get_object_or_404
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from people.admin_pages import answer, page_of
from scheduling import booking
from scheduling.admin.booking_forms import ForWhomField, ReasonField, is_key, party
from scheduling.booking import VERBS, Verb
from scheduling.models import Session
from scheduling.words import CANCELED


def session_or_404(request, object_id: str) -> Session:
    """What the address names, if this reader may see it."""
    if not is_key(object_id):
        raise Http404
    return get_object_or_404(Session.objects.visible_to(request.user).with_people(), pk=object_id)


class VerbForm(BaseDialogForm):
    """The dialog of a button: it remembers the version that was looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.session = session_or_404(self.request, self.object_id)
        self.fields["version"].initial = self.session.version
        if "on_behalf_of" in self.fields:
            self.fields["on_behalf_of"].name_people(self.session)


class EndingForm(VerbForm):
    reason = ReasonField(help_text="Both people can read it.")


def dialog_form(verb: Verb) -> type[VerbForm]:
    """With a reason where it ends the session, and for whom where somebody is told."""
    base = EndingForm if verb.to == CANCELED else VerbForm
    if not verb.told:
        return base
    # Only the mentor answers a request: that it is done for them goes without saying.
    initial = verb.parties[0] if len(verb.parties) == 1 else ""
    return type(f"{base.__name__}ForWhom", (base,), {"on_behalf_of": ForWhomField(*verb.parties, initial=initial)})


def verb_button(name: str, icon: str, variant: ActionVariant, title: str, description: str):
    """A button on the session's page that calls one verb, after a dialog."""
    verb = VERBS[name]

    def press(self, request, form, object_id):
        said = {key: form.cleaned_data[key] for key in ("version", "reason") if key in form.cleaned_data}
        session = form.session
        for_whom = party(form.cleaned_data.get("on_behalf_of", ""), session.mentor, session.mentee)

        def act():
            getattr(booking, name)(session, by=request.user, on_behalf_of=for_whom, **said)
            return f"The session is {verb.past}."

        return answer(request, act, page_of(Session._meta, object_id))

    press.__name__ = name
    dialog = {
        "title": title,
        "description": description,
        "form_class": dialog_form(verb),
        "form_submit_text": verb.label if verb.to != CANCELED else f"{verb.label} the session",
    }
    return action(description=verb.label, permissions=["act"], icon=icon, variant=variant, dialog=dialog)(press)
