"""The OpenAPI document of each family, and an offline page that shows them.

The page's assets come out of the flask-swagger-ui package: no request leaves the machine.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import flask_smorest
from flask import (
    Blueprint,
    Flask,
    Response,
    render_template_string,
    request,
    send_from_directory,
)

from herzum_approval import __version__, examples
from herzum_approval.api.family import CONVERTERS, JSON_TYPE, Family, json_response
from herzum_approval.errors import Fault, Problem

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Herzum Approval: the API</title>
  <link rel="stylesheet" href="{{ assets }}/swagger-ui.css">
  <link rel="icon" href="{{ assets }}/favicon-32x32.png">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="{{ assets }}/swagger-ui-bundle.js"></script>
  <script src="{{ assets }}/swagger-ui-standalone-preset.js"></script>
  <script>
    SwaggerUIBundle({
      urls: {{ documents|tojson }},
      dom_id: "#swagger-ui",
      presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
      layout: "StandaloneLayout",
      validatorUrl: null
    });
  </script>
</body>
</html>
"""


class _Api(flask_smorest.Api):
    """flask-smorest's registration of blueprints, without its app-wide error handlers."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to `install_error_handlers`: of several such handlers the last would win."""


def register_families(app: Flask, families: Sequence[Family]) -> None:
    """Register the families' doors, and serve `/openapi/<family>.json` and the page `/docs/`."""
    for family in families:
        for blueprint in family.blueprints:
            app.register_blueprint(blueprint)
    by_name = {family.name: family for family in families}
    assets = str(files("flask_swagger_ui") / "dist")
    pages = Blueprint("openapi", __name__)

    @pages.get("/openapi/<name>.json")
    def document(name: str) -> Response:
        if name not in by_name:
            raise Problem(Fault.ROUTE_NOT_FOUND)
        return json_response(described(name))

    @cache
    def described(name: str) -> dict[str, Any]:
        return describe(by_name[name])

    @pages.get("/docs/")
    def page() -> str:
        root = request.script_root
        documents = [
            {"url": f"{root}/openapi/{family.name}.json", "name": family.title} for family in families
        ]
        return render_template_string(_PAGE, assets=f"{root}/docs/assets", documents=documents)

    @pages.get("/docs/assets/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(assets, name)

    app.register_blueprint(pages)


def describe(family: Family) -> dict[str, Any]:
    """Return the OpenAPI document of one family, examples included."""
    document: dict[str, Any] = _registered(family).spec.to_dict()
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "operationId" in operation:
                _add_examples(operation)
    return document


def _add_examples(operation: dict[str, Any]) -> None:
    for example in examples.for_operation(operation["operationId"]):
        response = operation["responses"].get(str(example.expected.status), {})
        content = response.get("content", {}).get(JSON_TYPE)
        if content is not None and example.expected.body is not None:
            shown = {"summary": example.title, "value": example.expected.body_from("localhost:2990")}
            content.setdefault("examples", {})[example.name] = shown


def _registered(family: Family) -> _Api:
    """Return what describes the family: flask-smorest does so as it registers doors, here with nobody."""
    app = Flask(__name__)
    app.url_map.converters.update(CONVERTERS)
    prefix = family.name.upper() + "_"
    app.config[f"{prefix}API_TITLE"] = family.title
    app.config[f"{prefix}API_VERSION"] = __version__
    app.config[f"{prefix}OPENAPI_VERSION"] = "3.1.0"
    options: dict[str, Any] = {"info": {"description": family.description}, "servers": [{"url": "/"}]}
    if family.security_schemes:
        options["security"] = [{name: []} for name in family.security_schemes]
    api = _Api(app, config_prefix=prefix, spec_kwargs=options)
    for name, scheme in family.security_schemes.items():
        api.spec.components.security_scheme(name, scheme)
    for blueprint in family.blueprints:
        api.register_blueprint(blueprint)
    return api
