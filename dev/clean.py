"""``make clean``: stop what still runs and delete ``.local``."""

from bootstrap import postgres
from bootstrap.paths import LOCAL, lock, main, remove, say


def run() -> int:
    if not LOCAL.exists():
        return 0
    with lock("setup", "waiting for another command to finish its setup"):
        cluster = postgres.Cluster()
        cluster.stop()
        if cluster.base != LOCAL / "pg":
            remove(cluster.base)
    remove(LOCAL)
    say("removed .local")
    return 0


if __name__ == "__main__":
    main(run)
