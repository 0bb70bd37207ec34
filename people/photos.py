"""Photos of people: what is uploaded is looked at with care and drawn anew, so that nothing but the picture stays."""

import io
import secrets
import warnings
from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from people.models import Photo, User

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 25_000_000
SIDE = 512
KINDS = ("JPEG", "PNG", "WEBP")
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}

# Pillow looks before it decodes; by default it only warns of up to twice as much.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def drawn_anew(upload) -> bytes:
    """A WebP of 512 x 512, upright, without metadata. Raises ValidationError for whatever is not a whole, fair picture."""
    if upload.size > MOST_BYTES:
        raise ValidationError(_("The photo is larger than 5 MB. Save it smaller, and choose that."), code="too_large")
    if PurePath(upload.name).suffix.lower() not in ENDINGS:
        raise ValidationError(_("Choose a photo that is a JPEG, PNG or WebP."), code="kind")
    try:
        with Image.open(upload, formats=KINDS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            return _encoded(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValidationError(
            _("The photo has more than 25 megapixels. Save it smaller, and choose that."), code="too_many"
        ) from None
    # Whatever a broken file makes Pillow stumble over: OSError, SyntaxError, struct.error, ...
    except Exception:
        message = _("This cannot be read as a JPEG, PNG or WebP. It may be damaged, or be something else under that name.")
        raise ValidationError(message, code="unreadable") from None


def _encoded(image: Image.Image) -> bytes:
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    # On a new canvas: what the file said beside the picture stays behind.
    canvas = Image.new(image.mode, (SIDE, SIDE))
    canvas.paste(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS))
    written = io.BytesIO()
    canvas.save(written, "WEBP", quality=85)
    return written.getvalue()


def put(user: User, picture: bytes) -> Photo:
    """Give somebody a photo. The one before goes when this one is safe; this one, if it cannot be kept."""
    storage = Photo._meta.get_field("file").storage
    name = storage.save(f"photos/{secrets.token_urlsafe(24)}.webp", ContentFile(picture))
    try:
        with transaction.atomic():
            # Of two uploads at once, the second finds the first.
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
            before = Photo.objects.filter(user=user).values_list("file", flat=True).first()
            photo, _ = Photo.objects.update_or_create(user=user, defaults={"file": name})
            if before:
                transaction.on_commit(lambda: storage.delete(before))
    except BaseException:
        storage.delete(name)
        raise
    return photo


def remove_file(sender, instance, using, **kwargs) -> None:
    """A `post_delete` receiver: with the row, its own or its person's, the file goes."""
    transaction.on_commit(lambda: instance.file.storage.delete(instance.file.name), using=using)
