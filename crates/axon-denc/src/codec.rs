//! The reader, the two traits, and the primitives.

use alloc::string::String;
use alloc::vec::Vec;

/// Appends the wire form of a value to a buffer.
pub trait Encode {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding as a new buffer.
    fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// Reads a value from its wire form.
pub trait Decode: Sized {
    /// Consumes the encoding from `input`; on error `input` is left somewhere inside the value.
    ///
    /// # Errors
    /// What is wrong with the bytes: the first [`DecodeError`] met.
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Decodes from the start of `bytes` and ignores what follows, as Ceph's decoders do.
    ///
    /// # Errors
    /// Those of [`decode`](Self::decode).
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(&mut Decoder::new(bytes))
    }
}

/// Why bytes could not be decoded. The bytes came from somebody else, so each names what was wrong with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The value needs more bytes than there are.
    #[error("truncated: {needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes the next field needs.
        needed: usize,
        /// Bytes that were left.
        left: usize,
    },
    /// A count or length exceeds its limit.
    #[error("{what} of {length} exceeds the limit of {limit}")]
    TooLong {
        /// What was counted.
        what: &'static str,
        /// The announced length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// A struct says that only newer decoders may read it.
    #[error("{what} needs a decoder of version {compat}, this one knows {known}")]
    TooNew {
        /// The struct.
        what: &'static str,
        /// The version it demands.
        compat: u8,
        /// The newest version known here.
        known: u8,
    },
    /// A field holds a value that is not defined.
    #[error("{what} has the undefined value {value:#x}")]
    Undefined {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A string is not UTF-8.
    #[error("{what} is not valid UTF-8")]
    NotUtf8 {
        /// The field.
        what: &'static str,
    },
}

/// A cursor over bytes to be decoded.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet consumed.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Everything not yet consumed, without consuming it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was consumed.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Consumes `n` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer; nothing is consumed then.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .rest
            .split_at_checked(n)
            .ok_or(DecodeError::Truncated { needed: n, left: self.rest.len() })?;
        self.rest = tail;
        Ok(head)
    }

    /// Consumes `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer; nothing is consumed then.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated { needed: N, left: self.rest.len() })?;
        self.rest = tail;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there is none left.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer left.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer left.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer left.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Four bytes, little-endian, two's complement.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer left.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little-endian, two's complement.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer left.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// One byte, any non-zero value is true.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there is none left.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.u8()? != 0)
    }

    /// A blob: le32 length, then the bytes (borrowed).
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if the length or what it announces is not there.
    pub fn blob(&mut self) -> Result<&'a [u8], DecodeError> {
        let n = self.u32()?;
        self.take(n as usize)
    }

    /// A blob that must be UTF-8; `what` names it in the error.
    ///
    /// # Errors
    /// Those of [`blob`](Self::blob), and [`DecodeError::NotUtf8`].
    pub fn string(&mut self, what: &'static str) -> Result<String, DecodeError> {
        core::str::from_utf8(self.blob()?).map(String::from).map_err(|_| DecodeError::NotUtf8 { what })
    }

    /// A le32 count of items that take at least `min_size` bytes each; refuses counts that cannot fit in what is left.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if the count is not there, or so many items cannot be.
    pub fn count(&mut self, min_size: usize) -> Result<usize, DecodeError> {
        let n = self.u32()? as usize;
        let needed = n.saturating_mul(min_size);
        if needed > self.rest.len() {
            return Err(DecodeError::Truncated { needed, left: self.rest.len() });
        }
        Ok(n)
    }

    /// A list: le32 count, then the items.
    ///
    /// # Errors
    /// Those of [`count`](Self::count), and the first error of an item.
    pub fn list<T: Decode>(&mut self, min_size: usize) -> Result<Vec<T>, DecodeError> {
        let n = self.count(min_size.max(1))?;
        (0..n).map(|_| T::decode(self)).collect()
    }

    /// A versioned struct: u8 version, u8 compat, le32 length. Returns the version and a decoder over just the body;
    /// this decoder moves past the body, whatever of it the caller reads (newer fields are skipped).
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if the header or the body is not there, [`DecodeError::TooNew`] if only decoders of versions above
    /// `known` may read it.
    pub fn versioned(&mut self, what: &'static str, known: u8) -> Result<(u8, Decoder<'a>), DecodeError> {
        let version = self.u8()?;
        let compat = self.u8()?;
        if compat > known {
            return Err(DecodeError::TooNew { what, compat, known });
        }
        Ok((version, Decoder::new(self.blob()?)))
    }
}

/// Appends a blob: le32 length, then the bytes.
///
/// # Panics
/// If `bytes` is longer than a le32 can say (4 GiB), which no caller's buffer is.
pub fn put_blob(out: &mut Vec<u8>, bytes: &[u8]) {
    let n = u32::try_from(bytes.len()).expect("a blob is shorter than 4 GiB");
    out.extend_from_slice(&n.to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Appends a versioned struct whose body `f` writes: u8 version, u8 compat, le32 length, body.
pub fn put_versioned(out: &mut Vec<u8>, version: u8, compat: u8, f: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[version, compat]);
    put_sized(out, f);
}

/// Appends a blob whose bytes `f` writes.
pub fn put_sized(out: &mut Vec<u8>, f: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    f(out);
    let n = u32::try_from(out.len() - at - 4).expect("a blob is shorter than 4 GiB");
    out[at..at + 4].copy_from_slice(&n.to_le_bytes());
}

macro_rules! integers {
    ($($t:ident)*) => {$(
        impl Encode for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
        impl Decode for $t {
            fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                input.$t()
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 i32 i64);

impl Encode for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Decode for bool {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.bool()
    }
}

impl Encode for [u8] {
    fn encode(&self, out: &mut Vec<u8>) {
        put_blob(out, self);
    }
}

impl Encode for str {
    fn encode(&self, out: &mut Vec<u8>) {
        put_blob(out, self.as_bytes());
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// Appends a list: le32 count, then the items.
pub fn put_list<T: Encode>(out: &mut Vec<u8>, items: &[T]) {
    let n = u32::try_from(items.len()).expect("a list has fewer than 2^32 items");
    n.encode(out);
    for item in items {
        item.encode(out);
    }
}
