//! rados
