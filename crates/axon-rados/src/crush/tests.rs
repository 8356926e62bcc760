//! Maps made by hand: what real tools never make.
