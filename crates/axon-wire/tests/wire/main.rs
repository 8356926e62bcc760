//! The two directions against each other, against vectors, and against damage.

mod arbitrary;
mod damage;
mod link;
mod refusal;
mod roundtrip;
mod vectors;
