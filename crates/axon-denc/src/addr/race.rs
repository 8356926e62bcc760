//! The order of addresses, by which two peers that dial each other agree on the winner.

use super::EntityAddr;
use super::codec::sockaddr_bytes;
use core::cmp::Ordering;

impl EntityAddr {
    /// The bytes by which addresses are compared: type, nonce, family, port and IP address as a little-endian machine
    /// lays them out in memory, with zeros where a field is absent.
    ///
    /// ```text
    /// 0 le32 type | 4 le32 nonce | 8 le16 family | 10 be16 port | 12 ip[4], 0[20]   or   be32 flowinfo, ip[16], le32 scope
    /// ```
    ///
    /// Both peers must come to the same verdict, so this is part of the protocol although it is never sent. Note that
    /// numbers stored little-endian do not order by value: nonce 0x100 comes before nonce 1.
    ///
    /// Ceph: `operator<` of `entity_addr_t`, a memcmp.
    pub fn race_key(&self) -> [u8; 36] {
        let mut key = [0; 36];
        key[0..4].copy_from_slice(&(self.kind as u32).to_le_bytes());
        key[4..8].copy_from_slice(&self.nonce.to_le_bytes());
        let mut sockaddr = [0; 28];
        sockaddr_bytes(self.socket, &mut sockaddr);
        key[8..36].copy_from_slice(&sockaddr);
        key
    }

    /// Compares by [`race_key`](Self::race_key).
    pub fn race_cmp(&self, other: &Self) -> Ordering {
        self.race_key().cmp(&other.race_key())
    }
}

impl Ord for EntityAddr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.race_cmp(other)
    }
}

impl PartialOrd for EntityAddr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
