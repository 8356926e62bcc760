//! The real peers and what was recorded of them.

mod authorizer;
mod coverage;
mod decode;
mod dencoder;
mod peers;
mod signature;
mod tickets;
mod vectors;
