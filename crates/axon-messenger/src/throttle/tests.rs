#[cfg(loom)]
mod exhaustive;
#[cfg(not(loom))]
mod plain;
