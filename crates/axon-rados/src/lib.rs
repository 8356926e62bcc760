//! Objects of a Ceph cluster from Rust, without any C++: [`Rados`] is the session with a cluster, [`IoCtx`] what is done with the
//! objects of a pool.
//!
//! ```no_run
//! use axon_rados::Rados;
//! use axon_rados::client::RadosConfig;
//! use axon_rados::conf::{Conf, Host};
//! use axon_rados::mon::MonConfig;
//!
//! let conf = Conf::find(Host::current())?;
//! let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
//! let io = rados.pool("data")?;
//! io.write_full("greeting", "hello").wait()?; // or .await, under any runtime
//! assert_eq!(io.read("greeting", 0, 0).wait()?, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`client`]: the session, pools, operations under way, listings, watches;
//! - [`ops`]: what can be done with an object; names are bytes, see [`Name`];
//! - [`conf`]: `ceph.conf`, keyrings, and where the monitors are;
//! - [`mon`]: the session with the monitors, commands, and [`MonMap`], the monitors as they say themselves;
//! - [`osdmap`]: which OSDs and pools there are, and where each object is;
//! - [`crush`]: how placement groups become OSDs;
//! - [`msg`]: typed messages, each able to become an [`axon_wire::Message`] and to be read from one;
//! - [`osd`]: what the messages of an OSD are made of.
//!
//! A configuration made without files needs an [`AuthName`], a [`CryptoKey`] and perhaps [`Modes`], which are here, too:
//!
//! ```no_run
//! use axon_rados::client::RadosConfig;
//! use axon_rados::mon::MonConfig;
//! use axon_rados::{AuthName, CryptoKey, Mode, Modes, Rados};
//!
//! let name: AuthName = "client.reader".parse()?;
//! let key: CryptoKey = "AQBpMR9pAAAAABAAFrRh0S/fMSuKWI6BYmZPaQ==".parse()?; // as in its keyring
//! let mon = MonConfig::new(name, vec!["v2:10.0.0.1:3300/0".parse()?]).with_key(key);
//! let rados = Rados::connect(RadosConfig::new(mon.with_modes(Modes::only(Mode::SECURE))))?; // encrypted, or an error
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod client;
pub mod conf;
pub mod crush;
mod features;
pub mod mon;
mod monmap;
pub mod msg;
mod name;
mod objecter;
pub mod ops;
pub mod osd;
pub mod osdmap;

pub use axon_auth::{AuthName, CryptoKey, Mode};
pub use axon_messenger::Modes;
pub use client::{IoCtx, Rados};
pub use features::FEATURES;
pub use monmap::{MonInfo, MonMap};
pub use name::Name;

/// The code in the project's pages is compiled.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;

    #[doc = include_str!("../../../docs/rados.md")]
    struct Guide;

    #[doc = include_str!("../../../docs/messenger.md")]
    struct MessengerGuide;
}
