//! Sessions that outlive their sockets, with real daemons at the other end.

mod monitors;
mod probe;
