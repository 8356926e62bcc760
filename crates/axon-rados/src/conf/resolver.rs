//! Finding addresses by names.

use super::background::Background;
use axon_messenger::park;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

/// Finds the addresses of a host name, and the hosts of a service.
pub trait Resolve {
    /// The addresses of `host`, in order of preference.
    ///
    /// # Errors
    /// If the name is unknown or the name service fails.
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;

    /// The hosts that offer a service over TCP, as DNS says in the SRV records of `_SERVICE._tcp` in `domain`, or in the
    /// machine's own domains.
    ///
    /// # Errors
    /// As there; [`io::ErrorKind::Unsupported`] for a resolver that knows no services.
    fn services(&self, service: &str, domain: Option<&str>) -> io::Result<Vec<ServiceHost>> {
        let _ = (service, domain);
        Err(io::Error::new(io::ErrorKind::Unsupported, "this build asks DNS for no services"))
    }
}

/// A host that offers a service (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHost {
    /// Its name.
    pub host: String,
    /// The port of the service.
    pub port: u16,
    /// Hosts with lower numbers come first.
    pub priority: u16,
    /// How much of the clients of its priority it gets.
    pub weight: u16,
    /// Its addresses, as far as they came with the answer.
    pub ips: Vec<IpAddr>,
}

/// The system's resolver; services are looked for where `/etc/resolv.conf` says (feature `dns-srv`).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl SystemResolver {
    /// How long the system may take for one name. It has time-outs of its own, which add up over name servers, domains and
    /// attempts.
    pub const LIMIT: Duration = Duration::from_secs(10);
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let host = host.to_owned();
        limited(Self::LIMIT, move || {
            let mut ips = Vec::new();
            for socket in (&host[..], 0).to_socket_addrs()? {
                if !ips.contains(&socket.ip()) {
                    ips.push(socket.ip());
                }
            }
            Ok(ips)
        })
    }

    #[cfg(feature = "dns-srv")]
    fn services(&self, service: &str, domain: Option<&str>) -> io::Result<Vec<ServiceHost>> {
        super::DnsResolver::system()?.services(service, domain)
    }
}

/// Calls something that blocks, and gives up on it after `limit`.
fn limited<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let late = || {
        io::Error::new(io::ErrorKind::TimedOut, format!("the name service did not answer within {limit:?}"))
    };
    park::wait_until(Background::begin(call)?, park::deadline(limit)).unwrap_or_else(|| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_silent_name_service_is_given_up() {
        let (end, ended) = channel::<()>();
        let never = move || ended.recv().map_err(|_| io::ErrorKind::NotFound.into());
        let error = limited(Duration::from_millis(20), never).unwrap_err();
        assert_eq!(error.to_string(), "the name service did not answer within 20ms");
        drop(end);
    }

    #[test]
    fn the_system_knows_this_machine() {
        let ips = SystemResolver.resolve("localhost").unwrap();
        assert!(!ips.is_empty() && ips.iter().all(IpAddr::is_loopback), "{ips:?}");
    }
}
