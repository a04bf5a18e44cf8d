from odoo.http import Controller, Stream, request, route
from odoo.tools.misc import file_path

FOLDER = "customer_segmentation/static/kiosk"
SCOPE = "/club/kiosk"
# Everything from this server, nothing inline, never inside another page.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def kiosk_route(path=""):
    """A page of the tablet: no database, no user and no cookie needed."""
    return route(
        SCOPE + path, type="http", auth="none", methods=["GET"], save_session=False
    )


class ClubKiosk(Controller):
    """The tablet page. Its files are static and it speaks to the device API only.

    Where a host serves several databases and names none, Odoo answers 404 before any
    route of ours; the same page then opens under ``static/kiosk/kiosk.html?db=name``.
    """

    @kiosk_route()
    def page(self, **_params):
        return self._file("kiosk.html", PAGE_HEADERS)

    @kiosk_route("/sw.js")
    def service_worker(self, **_params):
        return self._file("sw.js", {"Service-Worker-Allowed": SCOPE})

    @kiosk_route("/session")
    def session(self, **_params):
        """Tell whether somebody is signed in to Odoo in this browser: yes or no."""
        response = request.make_json_response({"signed_in": bool(request.session.uid)})
        response.headers["Cache-Control"] = "no-store"
        return response

    def _file(self, name, headers):
        stream = Stream.from_path(file_path(f"{FOLDER}/{name}"), public=True)
        # Always revalidated: an upgrade reaches the tablets.
        response = stream.get_response(max_age=0, content_security_policy=None)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.update(headers)
        return response
