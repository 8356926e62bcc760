//! Operations that are done together, guards, object classes and locks.

use super::bed::everywhere;
use axon_rados::client::{Errno, RadosError};
use axon_rados::ops::{AllocHint, Compare, Lock, LockKind, Operand, ReadOp, WriteOp};
use axon_rados::osd::OpFlags;
use bytes::Bytes;

fn errno<T: std::fmt::Debug>(result: Result<T, RadosError>) -> Errno {
    result.unwrap_err().errno().expect("an OSD's refusal")
}

#[test]
fn together_or_not_at_all() {
    for bed in everywhere() {
        let io = &bed.io;
        let mut op = WriteOp::new();
        op.create(true).write_full("data").set_xattr("x", "1").omap_set([("k", "v")]);
        io.operate("whole", op.clone()).wait().unwrap();
        assert_eq!(errno(io.operate("whole", op).wait()), Errno::EEXIST);

        let mut look = ReadOp::new();
        let (stat, data, x) = (look.stat(), look.read(0, 0), look.get_xattr("x"));
        let answer = io.operate_read("whole", look).wait().unwrap();
        assert_eq!(answer.get(stat).unwrap().size, 4);
        assert_eq!((answer.get(data).unwrap(), answer.get(x).unwrap()), ("data".into(), "1".into()));

        let mut lenient = ReadOp::new();
        let missing = lenient.get_xattr("missing");
        lenient.flag_last(OpFlags::FAILOK);
        let data = lenient.read(0, 2);
        let answer = io.operate_read("whole", lenient).wait().unwrap();
        assert_eq!(answer.get(missing).unwrap_err().errno(), Some(Errno::ENODATA));
        assert_eq!(answer.get(data).unwrap(), "da");

        let mut half = WriteOp::new();
        half.write_full("changed").compare_xattr("x", Compare::Equal, "2");
        io.operate("whole", half).wait().unwrap_err();
        assert_eq!(io.read("whole", 0, 0).wait().unwrap(), "data", "nothing was done");
        io.remove("whole").wait().unwrap();
    }
}

#[test]
fn guards() {
    for bed in everywhere() {
        let io = &bed.io;
        let mut op = WriteOp::new();
        op.write_full("0123").set_xattr("n", "41").omap_set([("k", "v")]);
        io.create("guarded", false).wait().unwrap(); // a version before the one asserted
        let version = io.operate("guarded", op).wait().unwrap().version();
        let guarded = |guard: &dyn Fn(&mut WriteOp)| {
            let mut op = WriteOp::new();
            guard(&mut op);
            op.set_xattr("seen", "yes");
            io.operate("guarded", op).wait().map(|answer| answer.version())
        };
        assert_eq!(
            errno(guarded(&|op| {
                op.assert_version(version - 1);
            })),
            Errno::ERANGE
        );
        assert_eq!(
            errno(guarded(&|op| {
                op.assert_version(version + 1);
            })),
            Errno::EOVERFLOW
        );
        guarded(&|op| {
            op.assert_version(version);
        })
        .unwrap();
        let number = |n| Operand::Number(n);
        guarded(&|op| {
            op.compare_xattr("n", Compare::Greater, number(42));
        })
        .unwrap();
        let equal = guarded(&|op| {
            op.compare_xattr("n", Compare::Equal, number(42));
        });
        assert_eq!(errno(equal), Errno::ECANCELED);
        guarded(&|op| {
            op.compare_xattr("n", Compare::Equal, "41");
        })
        .unwrap();
        guarded(&|op| {
            op.compare_omap("k", Compare::Equal, "v");
        })
        .unwrap();
        let other = guarded(&|op| {
            op.compare_omap("k", Compare::Equal, "w");
        });
        assert_eq!(errno(other), Errno::ECANCELED);

        io.compare_and_write("guarded", 1, "12", "xy").wait().unwrap();
        let differs = errno(io.compare_and_write("guarded", 0, "0xz", "...").wait());
        assert_eq!(differs.mismatch_at(), Some(2));
        assert_eq!(io.read("guarded", 0, 0).wait().unwrap(), "0xy3");
        let mut missing = WriteOp::new();
        missing.assert_exists().write_full("x");
        assert_eq!(errno(io.operate("not there", missing).wait()), Errno::ENOENT);
    }
}

#[test]
fn compare_alone() {
    for bed in everywhere() {
        let io = &bed.io;
        io.write_full("compared", "0123").wait().unwrap();
        let look = |offset, data: &'static str| {
            let mut op = ReadOp::new();
            op.compare_extent(offset, data);
            io.operate_read("compared", op).wait()
        };
        look(1, "12").unwrap();
        look(3, "3\0\0").unwrap(); // what is behind the end compares as zeroes
        assert_eq!(errno(look(0, "01xx")).mismatch_at(), Some(2));
        let mut guard = WriteOp::new();
        guard.compare_extent(0, "9").write_full("changed");
        assert_eq!(errno(io.operate("compared", guard).wait()).mismatch_at(), Some(0));
        let mut guard = WriteOp::new();
        guard.compare_extent(0, "0123").append("4");
        io.operate("compared", guard).wait().unwrap();
        assert_eq!(io.read("compared", 0, 0).wait().unwrap(), "01234");
        io.remove("compared").wait().unwrap();
    }
}

#[test]
fn hints() {
    for bed in everywhere() {
        let hint = AllocHint { object_size: 4 << 20, write_size: 64 << 10, flags: 1 };
        let mut op = WriteOp::new();
        op.create(true).set_alloc_hint(hint).write(0, "data").set_alloc_hint(AllocHint::default());
        bed.io.operate("hinted", op).wait().unwrap();
        assert_eq!(bed.io.read("hinted", 0, 0).wait().unwrap(), "data");
        let mut alone = WriteOp::new();
        alone.set_alloc_hint(hint);
        bed.io.operate("only hinted", alone).wait().unwrap();
        assert_eq!(bed.io.stat("only hinted").wait().unwrap().size, 0, "it makes the object");
        bed.io.remove("hinted").wait().unwrap();
        bed.io.remove("only hinted").wait().unwrap();
    }
}

#[test]
fn classes() {
    for bed in everywhere() {
        let io = &bed.io;
        io.create("greeted", false).wait().unwrap();
        let hello = io.call("greeted", "hello", "say_hello", "Axon").wait();
        assert_eq!(hello.unwrap(), "Hello, Axon!");
        let none = io.call("greeted", "no such class", "m", Bytes::new()).wait();
        assert_eq!(errno(none), Errno::EOPNOTSUPP);
        io.call_write("recorded", "hello", "record_hello", &b"Axon"[..]).wait().unwrap();
        let replay = io.call("recorded", "hello", "replay", Bytes::new()).wait().unwrap();
        assert_eq!(replay, "Hello, Axon!");
    }
}

#[test]
fn locks() {
    for bed in everywhere() {
        let other = bed.other();
        let lock = Lock { description: "for a test".into(), ..Lock::exclusive("door", "me") };
        bed.io.lock("house", &lock).wait().unwrap();
        assert_eq!(errno(other.lock("house", &lock).wait()), Errno::EBUSY);
        assert_eq!(errno(bed.io.lock("house", &lock).wait()), Errno::EEXIST);
        bed.io.lock("house", &Lock { renew: true, ..lock }).wait().unwrap();
        let info = other.lock_info("house", "door").wait().unwrap();
        assert_eq!((info.kind, info.holders.len()), (Some(LockKind::Exclusive), 1));
        let holder = &info.holders[0];
        assert_eq!((&holder.cookie[..], &holder.description[..]), ("me", "for a test"));
        assert_eq!(holder.name.num.cast_unsigned(), bed.rados.global_id());
        assert!(bed.rados(&["lock", "info", "house", "door"]).contains("for a test"));
        let mut breaking = WriteOp::new();
        breaking.break_lock("door", holder.name, "me");
        other.operate("house", breaking).wait().unwrap();
        assert_eq!(errno(bed.io.unlock("house", "door", "me").wait()), Errno::ENOENT);
        for io in [&bed.io, &other] {
            io.lock("house", &Lock::shared("window", "w", "tag")).wait().unwrap();
        }
        assert_eq!(other.lock_info("house", "window").wait().unwrap().holders.len(), 2);
        let mut look = ReadOp::new();
        let names = look.list_locks();
        let names = other.operate_read("house", look).wait().unwrap().get(names).unwrap();
        assert!(names.contains(&"window".to_owned()), "{names:?}");
    }
}
