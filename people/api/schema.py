"""How the API describes itself, in OpenAPI 3.1."""

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class RefusalShape(serializers.Serializer):
    code = serializers.CharField(help_text="For the program.")
    detail = serializers.CharField(help_text="For whoever reads its log.")
    page = serializers.URLField(required=False, help_text="Where people do what was asked for.")

    def get_fields(self) -> dict:
        # A serializer has `fields` already, of another kind.
        by_name = serializers.DictField(child=serializers.ListField(), required=False, help_text="What is wrong, by parameter.")
        return super().get_fields() | {"fields": by_name}


class Description(AutoSchema):
    """Each address has a name of its own, made from the path. Lists come whole or in pages; refusals all look alike."""

    def get_operation_id(self) -> str:
        words = [word.strip("{}") for word in self.path.replace("-", "_").split("/") if word]
        return "_".join([self.method.lower(), *words])

    def get_summary(self) -> str:
        return self.get_description().partition("\n")[0]

    def get_tags(self) -> list[str]:
        if self.path.startswith("/api/v1/"):
            return ["Version 1"]
        return ["Keys"] if self.path.startswith("/auth/token/") else ["As the old system had it"]

    def get_serializer_name(self, serializer, direction) -> str:
        return super().get_serializer_name(serializer, direction).removesuffix("Shape")

    def _is_list_view(self, serializer=None) -> bool:
        return getattr(self.view, "lists", False)

    def _get_response_bodies(self, direction="response") -> dict:
        bodies = super()._get_response_bodies(direction)
        if self._is_list_view():
            content = bodies["200"]["content"]["application/json"]
            page = self.registry[content["schema"]["$ref"].rpartition("/")[2], "schemas"].schema
            content["schema"] = {"oneOf": [page["properties"]["results"], content["schema"]]}
        refusal = self.resolve_serializer(RefusalShape, direction).ref
        for status, when in self._refusals():
            bodies[status] = {"content": {"application/json": {"schema": refusal}}, "description": when}
        return bodies

    def _refusals(self):
        """(status, when it is answered)"""
        if getattr(self.view, "lists", False) or self.path == "/auth/token/login/":
            yield "400", "What was asked for cannot be meant."
        if self.path == "/auth/token/login/":
            yield "403", "A password is not enough for this account."
        else:
            yield "401", "There is no good access key in the header."
        if not getattr(self.view, "lists", False) and self.method == "GET":
            yield "404", "There is none, or it is somebody else's."
        yield "429", "Too often. The header Retry-After says for how many seconds to wait."


def one_of_each(endpoints: list, **kwargs) -> list:
    """Without those that only lack the slash at the end."""
    paths = {path for path, *_ in endpoints}
    return [endpoint for endpoint in endpoints if f"{endpoint[0]}/" not in paths]
