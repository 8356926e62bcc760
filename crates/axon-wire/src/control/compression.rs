//! The negotiation of compression.

use super::numbers;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, put_list};

/// COMPRESSION_REQUEST (21): the connector says whether and how it would compress.
///
/// ```text
/// u8 is compress | le32 n, le32 preferred method [n]
/// ```
///
/// Sent by the connector after AUTH_SIGNATURE when both banners support compression; the acceptor then awaits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressionRequest {
    /// Whether the connector wants compression.
    pub is_compress: bool,
    /// The algorithms it would take, best first: 0 none, 1 snappy, 2 zlib, 3 zstd, 4 lz4, 5 brotli.
    pub preferred_methods: Vec<u32>,
}

impl Encode for CompressionRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_compress.encode(out);
        put_list(out, &self.preferred_methods);
    }
}

impl Decode for CompressionRequest {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            is_compress: input.bool()?,
            preferred_methods: numbers(input, "preferred compression methods")?,
        })
    }
}

/// COMPRESSION_DONE (22): the acceptor's choice.
///
/// ```text
/// u8 is compress | le32 method
/// ```
///
/// Awaited by the connector after COMPRESSION_REQUEST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressionDone {
    /// Whether frames may be compressed from now on.
    pub is_compress: bool,
    /// The algorithm.
    pub method: u32,
}

impl Encode for CompressionDone {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_compress.encode(out);
        self.method.encode(out);
    }
}

impl Decode for CompressionDone {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { is_compress: input.bool()?, method: input.u32()? })
    }
}
