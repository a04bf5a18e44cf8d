def post_init_hook(env):
    """Give every company that exists at installation its service line."""
    env["res.company"].sudo().search([])._create_default_sms_lines()


def uninstall_hook(env):
    """Cancel what still waits on our lines.

    Once the addon is gone nothing knows a line any more, and core would send the
    queue over its own gateway (decisions: uninstall cancels queued rows).
    """
    queued = env["sms.sms"].search(
        [("line_id", "!=", False), ("state", "=", "outgoing")]
    )
    queued.write({"state": "canceled"})
