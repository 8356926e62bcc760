//! Request ids.

use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityName, put_versioned};

/// Names one request of one client, however often it is sent (`osd_reqid_t`).
///
/// Clients leave the name and tid out; the receiver takes them from the connection and the message header.
///
/// ```text
/// u8 2 | u8 2 | le32 length | u8 type | le64 num | le64 tid | le32 inc
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReqId {
    /// Who asked; `None` means the sender of the message.
    pub name: Option<EntityName>,
    /// The client's transaction id.
    pub tid: u64,
    /// The client's incarnation.
    pub inc: i32,
}

const VERSION: u8 = 2;
/// The type and number of an absent name.
const NOBODY: [u8; 9] = [0; 9];

impl Encode for ReqId {
    fn encode(&self, out: &mut Vec<u8>) {
        put_versioned(out, VERSION, VERSION, |out| {
            match self.name {
                Some(name) => name.encode(out),
                None => out.extend_from_slice(&NOBODY),
            }
            self.tid.encode(out);
            self.inc.encode(out);
        });
    }
}

impl Decode for ReqId {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("request id", VERSION)?;
        Ok(Self { name: decode_name(&mut body)?, tid: body.u64()?, inc: body.i32()? })
    }
}

fn decode_name(body: &mut Decoder<'_>) -> Result<Option<EntityName>, DecodeError> {
    if body.rest().first() == Some(&0) {
        body.array::<{ NOBODY.len() }>()?;
        return Ok(None);
    }
    EntityName::decode(body).map(Some)
}
