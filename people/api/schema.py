"""The API described: OpenAPI 3.1, for programs as JSON, for people as a page."""

from drf_spectacular.openapi import AutoSchema


class Description(AutoSchema):
    """Each address has a name of its own, made from the path."""

    def get_operation_id(self) -> str:
        words = [word.strip("{}") for word in self.path.replace("-", "_").split("/") if word]
        return "_".join([self.method.lower(), *words])

    def get_tags(self) -> list[str]:
        if self.path.startswith("/api/v1/"):
            return ["Version 1"]
        return ["Keys"] if self.path.startswith("/auth/token/") else ["As the old system had it"]


def one_of_each(endpoints: list, **kwargs) -> list:
    """Without those that only lack the slash at the end."""
    paths = {path for path, *_ in endpoints}
    return [endpoint for endpoint in endpoints if f"{endpoint[0]}/" not in paths]
