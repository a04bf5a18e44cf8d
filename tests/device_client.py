"""What the tests need to speak to the device API and to judge its answers."""

import json
from functools import cache
from pathlib import Path

import jsonschema
import referencing
import referencing.jsonschema
import requests
import yaml

OPENAPI = Path(__file__).resolve().parent.parent / "docs" / "openapi.yaml"
PREFIX = "/club/device/v1"
DOCUMENT_URI = "urn:customer-club-device-api"
TIMEOUT = 10  # seconds
PROBLEM = "application/problem+json"


class DeviceClient:
    """A device at the wire: it sends what it is told and returns what it gets.

    :param str base_url: scheme and host, ``http://127.0.0.1:8069``
    :param str token: bearer token, or None before pairing
    :param str db: database named in ``X-Odoo-Database``, or None
    :param session: anything with requests' ``request()``, an HttpCase opener for one
    """

    def __init__(self, base_url, token=None, db=None, session=None):
        self.base_url = base_url.rstrip("/") + PREFIX
        self.token = token
        self.db = db
        self.session = session or requests.Session()

    def request(self, method, path, headers=None, **kwargs):
        """Send one request; a header given as None is left out.

        :param str path: below the prefix, ``/checkins``
        :param dict headers: added to, or taken from, the usual ones
        :param kwargs: for requests: ``json``, ``data``
        :rtype: requests.Response
        """
        usual = {
            "Authorization": self.token and f"Bearer {self.token}",
            "X-Odoo-Database": self.db,
            **(headers or {}),
        }
        return self.session.request(
            method,
            self.base_url + path,
            headers={key: value for key, value in usual.items() if value is not None},
            timeout=TIMEOUT,
            allow_redirects=False,
            **kwargs,
        )

    def pair(self, code, serial="TEST-0001", **members):
        """Pair, and keep the token when it is granted.

        :rtype: requests.Response
        """
        body = {"code": code, "serial": serial, **members}
        response = self.request("POST", "/pair", json=body)
        if response.status_code == 201:
            self.token = response.json()["token"]
        return response

    def config(self, etag=None, lang=None):
        """Fetch the configuration, conditionally when ``etag`` is given."""
        headers = {"If-None-Match": etag, "Accept-Language": lang}
        return self.request("GET", "/config", headers)

    def checkin(self, event_id, phone, tag=None, headers=None, **members):
        """Post one check-in as JSON."""
        body = {"event_id": event_id, "phone": phone, "tag": tag, **members}
        return self.request("POST", "/checkins", headers, json=body)

    def checkin_form(self, headers=None, **members):
        """Post one check-in as a form; the values are strings."""
        return self.request("POST", "/checkins", headers, data=members)

    def batch(self, items, headers=None):
        """Post stored check-ins, a list of dicts."""
        return self.request("POST", "/checkins/batch", headers, json={"items": items})

    def heartbeat(self, fw="1.0", uptime_s=1, queue=0, **members):
        """Report the state of the device."""
        body = {"fw": fw, "uptime_s": uptime_s, "queue": queue, **members}
        return self.request("POST", "/heartbeat", json=body)

    def rotate(self, adopt=False):
        """Ask for a new token, and use it from now on when ``adopt`` is set."""
        response = self.request("POST", "/token/rotate", json={})
        if adopt and response.status_code == 200:
            self.token = response.json()["token"]
        return response

    def raw(self, path, body, content_type="application/json", headers=None):
        """Post bytes as they are: broken JSON, bad UTF-8, another media type."""
        headers = {"Content-Type": content_type, **(headers or {})}
        return self.request("POST", path, headers, data=body)


def validate(response, path, method="post"):
    """Check a real answer against docs/openapi.yaml.

    :param requests.Response response: the answer
    :param str path: below the prefix, ``/checkins``
    :param str method: of the request; one that the path does not take must be
        answered with 405
    :return: the decoded body, None when there is none
    :raise AssertionError: with the reason, when the answer breaks the contract
    """
    status = str(response.status_code)
    where = f"{method.upper()} {path} -> {status}"
    pointer = _response_pointer(path, method.lower(), status, where)
    declared = _lookup(pointer)
    _check_headers(response, declared.get("headers", {}), where)
    content = declared.get("content")
    if content is None:
        assert not response.content, f"{where}: no body expected"
        return None
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    assert media_type in content, f"{where}: media type {media_type!r}"
    body = _decode(response.content, where)
    _check_schema(body, f"{pointer}/content/{_escape(media_type)}/schema", where)
    if media_type == PROBLEM:
        _check_problem(body, response.status_code, where)
    for result in body.get("results", ()):
        if "problem" in result:
            _check_problem(result["problem"], result["status"], where)
    return body


# === The contract === #


@cache
def openapi():
    """Return docs/openapi.yaml, read once.

    :rtype: dict
    """
    return yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))


@cache
def _registry():
    resource = referencing.Resource.from_contents(
        openapi(), default_specification=referencing.jsonschema.DRAFT202012
    )
    return referencing.Registry().with_resource(DOCUMENT_URI, resource)


def _escape(part):
    return part.replace("~", "~0").replace("/", "~1")


def _lookup(pointer):
    node = openapi()
    for part in pointer.split("/")[1:]:
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def _resolve(pointer):
    """Follow a reference: the pointer of the thing itself."""
    reference = _lookup(pointer).get("$ref")
    return _resolve(reference.removeprefix("#")) if reference else pointer


def _response_pointer(path, method, status, where):
    assert path in openapi()["paths"], f"{where}: unknown path"
    if method not in openapi()["paths"][path]:
        assert status == "405", f"{where}: the method is not declared"
        return "/components/responses/MethodNotAllowed"
    pointer = f"/paths/{_escape(path)}/{method}/responses"
    assert status in _lookup(pointer), f"{where}: the status is not declared"
    return _resolve(f"{pointer}/{status}")


# === The checks === #


def _check_headers(response, headers, where):
    for name, declared in headers.items():
        pointer = declared["$ref"].removeprefix("#")
        value = response.headers.get(name)
        if value is None:
            assert not _lookup(pointer)["required"], f"{where}: no {name} header"
        else:
            _check_schema(value, f"{pointer}/schema", f"{where}, header {name}")


def _check_schema(instance, pointer, where):
    schema = {"$ref": f"{DOCUMENT_URI}#{pointer}"}
    validator = jsonschema.Draft202012Validator(schema, registry=_registry())
    error = jsonschema.exceptions.best_match(validator.iter_errors(instance))
    assert error is None, f"{where}: {error.json_path}: {error.message}\n{instance}"


def _check_problem(problem, status, where):
    assert problem["status"] == status, f"{where}: problem says {problem['status']}"


def _decode(content, where):
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except ValueError as error:
        raise AssertionError(f"{where}: not JSON in UTF-8") from error


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")
