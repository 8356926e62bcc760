//! Methods of object classes: code that runs in the OSD.

use super::{ObjectOp, Pick};
use crate::osd::{OpCode, OsdOp};
use axon_denc::Encode;
use bytes::{BufMut, Bytes, BytesMut};

impl<K> ObjectOp<K> {
    /// Calls `method` of `class`; gives what it returns, which OSDs cut to 64 bytes if the request may change the object.
    ///
    /// # Panics
    /// If a name is longer than 255 bytes.
    pub fn call(&mut self, class: &str, method: &str, input: impl Into<Bytes>) -> Pick<Bytes> {
        let (op, payload) = call(class, method, &input.into());
        self.0.ask(op, payload, |data| Ok(data.clone()))
    }
}

/// u8 class length | u8 method length | u8 0 | le32 input length; the payload is class, method and input.
fn call(class: &str, method: &str, input: &[u8]) -> (OsdOp, Bytes) {
    const NO_ARGUMENTS: u8 = 0;
    let mut payload = BytesMut::with_capacity(class.len() + method.len() + input.len());
    payload.put(class.as_bytes());
    payload.put(method.as_bytes());
    payload.put(input);
    let op = OsdOp::with_args(OpCode::CALL, super::compound::length_of(&payload), |args| {
        args.extend([short(class), short(method), NO_ARGUMENTS]);
        super::compound::length_of(input).encode(args);
    });
    (op, payload.freeze())
}

fn short(name: &str) -> u8 {
    u8::try_from(name.len()).expect("names of classes and methods have at most 255 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_stand_in_front() {
        let (op, payload) = call("lock", "get_info", b"xyz");
        assert_eq!(op.args[..8], [4, 8, 0, 3, 0, 0, 0, 0]);
        assert_eq!(payload, "lockget_infoxyz");
    }
}
