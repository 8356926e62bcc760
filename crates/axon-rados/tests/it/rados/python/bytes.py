io.set_namespace("bytes")
with rados.WriteOpCtx() as op:
    io.set_omap(op, (b"a", b"\x80key"), (b"1", b"value"))
    io.operate_write_op(op, "theirs")
