//! The wire form of the message header.
//!
//! ```text
//! 0 le64 seq | 8 le64 tid | 16 le16 type | 18 le16 priority | 20 le16 version | 22 le32 data_pre_padding_len
//! 26 le16 data_off | 28 le64 ack_seq | 36 u8 flags | 37 le16 compat_version | 39 le16 reserved
//! ```
//!
//! `data_pre_padding_len` and `reserved` are written as zero and ignored.
//!
//! Ceph: `ceph_msg_header2` in `src/include/msgr.h`.

use super::MessageHeader;

impl MessageHeader {
    /// Bytes of the header on the wire.
    pub const LEN: usize = 41;

    /// What goes on the wire.
    #[inline]
    pub fn emit(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[0..8].copy_from_slice(&self.seq.to_le_bytes());
        out[8..16].copy_from_slice(&self.tid.to_le_bytes());
        out[16..18].copy_from_slice(&self.kind.to_le_bytes());
        out[18..20].copy_from_slice(&self.priority.to_le_bytes());
        out[20..22].copy_from_slice(&self.version.to_le_bytes());
        out[26..28].copy_from_slice(&self.data_off.to_le_bytes());
        out[28..36].copy_from_slice(&self.ack_seq.to_le_bytes());
        out[36] = self.flags;
        out[37..39].copy_from_slice(&self.compat_version.to_le_bytes());
        out
    }

    /// Reads a header.
    #[inline]
    pub fn parse(bytes: &[u8; Self::LEN]) -> Self {
        Self {
            seq: u64_at(bytes, 0),
            tid: u64_at(bytes, 8),
            kind: u16_at(bytes, 16),
            priority: u16_at(bytes, 18),
            version: u16_at(bytes, 20),
            data_off: u16_at(bytes, 26),
            ack_seq: u64_at(bytes, 28),
            flags: bytes[36],
            compat_version: u16_at(bytes, 37),
        }
    }
}

fn u16_at(bytes: &[u8; MessageHeader::LEN], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u64_at(bytes: &[u8; MessageHeader::LEN], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_its_place() {
        let header = MessageHeader {
            seq: 0x0102_0304_0506_0708,
            tid: 0x1112_1314_1516_1718,
            kind: 0x2122,
            priority: 0x3132,
            version: 0x4142,
            data_off: 0x5152,
            ack_seq: 0x6162_6364_6566_6768,
            flags: 0x71,
            compat_version: 0x8182,
        };
        let bytes = header.emit();
        let expected = [
            0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
            0x22, 0x21, 0x32, 0x31, 0x42, 0x41, 0, 0, 0, 0, 0x52, 0x51, 0x68, 0x67, 0x66, 0x65, 0x64, 0x63,
            0x62, 0x61, 0x71, 0x82, 0x81, 0, 0,
        ];
        assert_eq!(bytes, expected);
        assert_eq!(MessageHeader::parse(&bytes), header);
    }
}
