"""OCA's dynamic mailing lists, beside the segments of a measurement's database."""

from bootstrap import database, python_env
from bootstrap.paths import LOCAL, LOG, fingerprint, is_stamped, remove, stamp, step

from . import _audience

FOLDER = LOCAL / "peer"
MODULE = "mass_mailing_list_dynamic"
WHEELS = (
    "odoo-addon-mass-mailing-partner==19.0.1.1.0.4",
    "odoo-addon-mass-mailing-list-dynamic==19.0.1.0.0.4",
)


def install(environment) -> dict:
    """Install the peer into the database of :func:`._audience.ready`.

    :return: options for :func:`._audience.opened`
    """
    _fetch()
    path = environment.write_conf("bench-path").read_text().splitlines()
    [addons] = [line for line in path if line.startswith("addons_path = ")]
    paths = [addons.removeprefix("addons_path = ")]
    # Pip does not add to a folder that is there already.
    paths += [str(FOLDER / str(turn) / "odoo/addons") for turn, _ in enumerate(WHEELS)]
    options = {"addons_path": ",".join(paths)}
    with step(f"{MODULE} installed beside"):
        environment.run_odoo(
            *("-c", environment.write_conf("bench-peer", **options)),
            *("-d", _audience.NAME, "-i", MODULE, "--stop-after-init", "--no-http"),
            log=LOG / "bench-peer.log",
            what=f"installing {MODULE}",
        )
    with database.cursor(environment, _audience.NAME) as cr:
        cr.execute("VACUUM ANALYZE")
    return options


def _fetch() -> None:
    wanted = fingerprint(*WHEELS)
    if is_stamped(FOLDER, wanted):
        return
    remove(FOLDER)
    with step("OCA's dynamic mailing lists"):
        for turn, wheel in enumerate(WHEELS):
            python_env.pip_install(FOLDER / str(turn), wheel)
    stamp(FOLDER, wanted)
