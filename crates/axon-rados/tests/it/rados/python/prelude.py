import rados
import sys
import time

conf, pool, mode = sys.argv[1:4]
cluster = rados.Rados(conffile=conf, conf=dict(ms_client_mode=mode, ms_mon_client_mode=mode))
cluster.connect(timeout=60)
io = cluster.open_ioctx(pool)


def say(text):
    print(text, flush=True)


def expect(seen, wanted):
    assert seen == wanted, f"saw {seen!r}, not {wanted!r}"
