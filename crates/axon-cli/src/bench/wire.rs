//! Bytes on the wire of a request and its reply.

use crate::options::ModeArg;
use axon_denc::Features;
use axon_rados::msg::{MOSDOp, MOSDOpReply, MOSDOpView};
use axon_rados::osd::OsdFlags;
use axon_wire::{FrameBuf, FrameWriter, Message, default_provider};
use bytes::Bytes;

/// The frames' sizes of a request with `size` bytes of data, and of its reply.
///
/// # Panics
/// Never: the request is our own and fits a frame.
pub(crate) fn sizes(size: u32, mode: ModeArg) -> (usize, usize) {
    let template = MOSDOp::bench(size, Features::ALL_REEF).expect("Reef has all that a request needs");
    let request = template.message(1, Bytes::from(vec![0; size as usize]));
    let reply = {
        let view = MOSDOpView::parse(&request).expect("a request of our own reads back");
        MOSDOpReply::answer(&view, 0, OsdFlags::ACK, 0)
    };
    (frame_size(&request, mode), frame_size(&reply, mode))
}

fn frame_size(message: &Message, mode: ModeArg) -> usize {
    let mut writer = FrameWriter::new(default_provider());
    if mode == ModeArg::Secure {
        writer.secure(&[0; 16], [0; 12]);
    }
    let mut frame = FrameBuf::new();
    writer.message(message, &mut frame).expect("a size below 4 GiB fits a frame");
    frame.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_a_little_larger_than_their_data() {
        let (request, reply) = sizes(4096, ModeArg::Crc);
        assert!((4096 + 250..4096 + 400).contains(&request), "{request}");
        assert!((200..400).contains(&reply), "{reply}");
        let (sealed, _) = sizes(4096, ModeArg::Secure);
        assert!(sealed > request && sealed < request + 200, "{sealed}");
    }
}
