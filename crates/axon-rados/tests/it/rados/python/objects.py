io.set_namespace("python")

# What the other client wrote.
expect(io.stat("ours")[0], 100000)
expect(io.read("ours", 200000), bytes(i * 7 % 256 for i in range(100000)))
expect(io.read("ours", 10, 5), bytes(i * 7 % 256 for i in range(5, 15)))
expect(io.get_xattr("ours", "colour"), b"green")
xattrs = dict(io.get_xattrs("ours"))
expect(sorted(xattrs), ["colour", "lock.door", "raw"])
expect(xattrs["raw"], b"\0\xff")
with rados.ReadOpCtx() as op:
    values, _ = io.get_omap_vals(op, "", "", 10)
    io.operate_read_op(op, "ours")
    expect(list(values), [("a", b"1"), ("b", b"2"), ("c", b"3")])
with rados.ReadOpCtx() as op:
    values, _ = io.get_omap_vals_by_keys(op, ("b", "none"))
    io.operate_read_op(op, "ours")
    expect(list(values), [("b", b"2")])
try:
    io.lock_exclusive("ours", "door", "them")
    raise AssertionError("the lock was free")
except rados.ObjectBusy:
    pass
expect(sorted(found.key for found in io.list_objects()), ["keyed", "ours"])
io.set_locator_key("elsewhere")
expect(io.read("keyed"), b"by key")
io.set_locator_key("")
expect(io.cmpext("ours", bytes([0, 7, 14])), 0)
io.remove_object("ours")

# What the other client shall read.
io.write_full("theirs", b"0123456789")
io.write("theirs", b"ab", 4)
io.trunc("theirs", 6)
with rados.WriteOpCtx() as op:
    op.writesame(b"xy", 6, 8)
    io.set_omap(op, ("k1", "k2", "k3"), (b"v1", b"v2", b"v3"))
    op.set_xattr("shape", b"round")
    io.operate_write_op(op, "theirs")
with rados.WriteOpCtx() as op:
    io.remove_omap_keys(op, ("k2",))
    io.operate_write_op(op, "theirs")
io.append("theirs", b"+more")
io.lock_shared("theirs", "window", "them", "tag", "of python")
