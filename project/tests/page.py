"""A form as a browser has it: what is in the page, and what is sent when somebody presses the button."""

from html.parser import HTMLParser


class _Reader(HTMLParser):
    def __init__(self, form):
        super().__init__()
        self.form, self.inside, self.fields = form, False, {}
        self.name = self.text = None

    def handle_starttag(self, tag, attrs):
        has = dict(attrs)
        if tag == "form":
            # The choice of a language is below every page.
            ours = has.get("method") == "post" and has.get("action") != "/language/"
            self.inside = ours and self.form in (None, has.get("id"))
        if not self.inside or "disabled" in has:
            return
        if tag == "input" and has.get("type", "text") not in ("submit", "button", "file"):
            if has.get("type") not in ("checkbox", "radio") or "checked" in has:
                self.put(has.get("name"), has.get("value", "on" if has.get("type") == "checkbox" else ""))
        elif tag in ("select", "textarea"):
            self.name, self.text = has.get("name"), "" if tag == "textarea" else None
            self.first, self.several = None, "multiple" in has
        elif tag == "option" and self.name:
            self.first = has.get("value", "") if self.first is None else self.first
            if "selected" in has:
                self.put(self.name, has.get("value", ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.text is not None:
            self.put(self.name, self.text.removeprefix("\n"))
            self.name = self.text = None
        elif tag == "select" and self.name:
            if self.name not in self.fields and not self.several and self.first is not None:
                self.put(self.name, self.first)
            self.name = None

    def handle_data(self, data):
        if self.text is not None:
            self.text += data

    def put(self, name, value):
        if name and name != "csrfmiddlewaretoken":
            self.fields.setdefault(name, []).append(value)


def form_in(response, form: str | None = None) -> dict[str, list[str]]:
    """What pressing Save would send: of the form with this id, or of the only one there is. Ready for Client.post."""
    reader = _Reader(form)
    reader.feed(response.content.decode())
    assert reader.fields, "There is no form in this page."
    return reader.fields
