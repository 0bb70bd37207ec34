"""Photos, for those who may see them. Here and not among the people: sessions say who knows whom."""

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from people.models import Mentor, Photo, User
from scheduling.models import Session


def visible_to(user: User) -> QuerySet[Photo]:
    """One's own; of those who take part, every mentor's and that of whoever one has a session with. Staff see all."""
    if user.is_staff:
        return Photo.objects.all()
    together = Session.objects.of(user).filter(Q(mentor_id=OuterRef("pk")) | Q(mentee_id=OuterRef("pk")))
    mentors = Q(user__mentor__in=Mentor.objects.visible_to(user))
    return Photo.objects.filter(Q(user=user) | mentors | Q(Exists(together), user__is_active=True))


@require_safe
@login_required
def photo(request, pk: int):
    shown = get_object_or_404(visible_to(request.user), pk=pk)
    try:
        with shown.file.open() as file:
            picture = file.read()
    except FileNotFoundError:
        raise Http404 from None
    headers = {
        "Content-Disposition": 'inline; filename="photo.webp"',
        # The address names the version; an hour is how long a browser shows what its reader may not see any more.
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": quote_etag(shown.version),
    }
    response = HttpResponse(picture, content_type="image/webp", headers=headers)
    return get_conditional_response(request, etag=response["ETag"], response=response)
