from odoo.exceptions import LockError
from odoo.http import Controller, request, route

from ..models.messaging.customer_profile_link import PATH

LANGUAGES = {"fa": "fa_IR", "en": "en_US"}
STATUS = {"open": 200, "unknown": 404, "expired": 410, "answered": 410, "busy": 429}
FORM_BYTES = 16 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    # The address is the key: no other site may see it, no cache may keep the page.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class ProfileLink(Controller):
    """The page behind ``{{ profile_link }}``; the token in its address is the key."""

    @route(
        PATH + "<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        csrf=False,
        save_session=False,
        sitemap=False,
    )
    def ask(self, token, lang=None, **_params):
        link, state = self._open(token)
        link = self._speak(link, lang)
        keys = []
        if state == "open":
            keys = link._get_missing()
            link._remember_asked(keys)
        return self._page(link, state, keys=keys)

    @route(
        PATH + "<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        sitemap=False,
        max_content_length=FORM_BYTES,
    )
    def answer(self, token, lang=None, **_params):
        link, state = self._open(token)
        link = self._speak(link, lang)
        if state != "open":
            return self._page(link, state)
        link.tries += 1
        form = request.httprequest.form
        answers, problems = link._read_answers(form)
        if problems:
            return self._page(
                link, state, keys=link._get_asked(), form=form, problems=problems
            )
        conflicts = link._get_conflicts(answers)
        undecided = [key for key in conflicts if not form.get(f"replace_{key}")]
        if undecided:
            return self._page(link, state, form=form, conflicts=undecided)
        for key in conflicts:
            if form.get(f"replace_{key}") != "yes":
                del answers[key]
        try:
            saved = link._save(answers)
        except LockError:
            saved = False
        return self._page(link, "thanks" if saved else "answered")

    def _open(self, token):
        address = request.httprequest.remote_addr or ""
        return request.env["customer.profile.link"]._open(token, address)

    def _speak(self, link, lang):
        """The contact's language, unless the visitor chose the other one."""
        chosen = LANGUAGES.get(lang or "")
        if not chosen:
            spoken = link.partner_id.lang or link.company_id.partner_id.lang or ""
            accepted = request.httprequest.accept_languages.best_match(["fa", "en"])
            if not spoken:
                spoken = LANGUAGES.get(accepted or "en")
            chosen = "fa_IR" if spoken.startswith("fa") else "en_US"
        active = dict(request.env["res.lang"].sudo().get_installed())
        return link.with_context(lang=chosen if chosen in active else "en_US")

    def _page(self, link, state, *, keys=(), form=None, problems=None, conflicts=()):
        env = link.env
        persian = (env.lang or "").startswith("fa")
        other = "en" if persian else "fa"
        installed = dict(env["res.lang"].sudo().get_installed())
        values = {
            "state": state,
            "company": link.company_id.name or "",
            "questions": link._get_questions(keys) if keys else [],
            "conflicts": link._get_questions(conflicts) if conflicts else [],
            "form": form,
            "asked": link._get_asked() if form is not None else [],
            "problems": problems or {},
            "example": link._example(),
            "html_lang": "fa" if persian else "en",
            "direction": "rtl" if persian else "ltr",
            "other_lang": other if LANGUAGES[other] in installed else "",
            "other_label": "English" if persian else "فارسی",
        }
        body = (
            env["ir.qweb"]
            .sudo()
            ._render(
                "customer_segmentation.profile_link_page", values, minimal_qcontext=True
            )
        )
        # Nothing to ask and nothing wrong is a good page, too.
        status = 200 if state == "thanks" else STATUS[state]
        return request.make_response(
            f"<!DOCTYPE html>\n{body}",
            headers=[("Content-Type", "text/html; charset=utf-8"), *HEADERS.items()],
            status=status,
        )
