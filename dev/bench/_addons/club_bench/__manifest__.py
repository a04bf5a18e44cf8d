{
    "name": "Club Bench",
    "summary": "What Odoo answers at best: a constant. For measurements only.",
    "version": "19.0.1.0.0",
    "author": "customer_segmentation contributors",
    "license": "LGPL-3",
    "depends": ["web"],
    "installable": True,
}
