def post_init_hook(env):
    """Give every company its service line, and what other apps ship its class."""
    env["res.company"].sudo().search([])._create_default_sms_lines()
    _declare_texts_of_other_apps(env)


def _declare_texts_of_other_apps(env):
    """Texts that other apps shipped tell customers of their own documents."""
    shipped = env["ir.model.data"].search(
        [
            ("model", "=", "sms.template"),
            ("module", "not in", ["customer_segmentation", "__export__"]),
        ]
    )
    templates = env["sms.template"].browse(shipped.mapped("res_id")).exists()
    templates.message_class = "service"


def uninstall_hook(env):
    """Cancel what still waits on our lines.

    Once the addon is gone nothing knows a line any more, and core would send the
    queue over its own gateway (decisions: uninstall cancels queued rows).
    """
    queued = env["sms.sms"].search(
        [("line_id", "!=", False), ("state", "=", "outgoing")]
    )
    queued.write({"state": "canceled"})
