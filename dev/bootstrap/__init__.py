"""Everything needed to run Odoo with this addon, fetched below ``.local/``.

Plain standard library: it runs with the machine's own Python before anything is
installed. :mod:`.environment` is the way in; the other modules each know one part.
"""
