//! Where no download goes: link-local addresses, at which clouds tell any caller their machine's credentials.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// Resolves names as the system does, and gives no address that is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| !refused(address.ip())).collect();
            if allowed.is_empty() {
                return Err(io::Error::other("no address that may be reached").into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address must not be reached.
pub(crate) fn refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.is_link_local(),
            None => (address.segments()[0] & 0xffc0) == 0xfe80,
        },
    }
}

/// Whether a URL names such an address.
pub(crate) fn names_refused(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => refused(address.into()),
        Some(Host::Ipv6(address)) => refused(address.into()),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::names_refused;
    use url::Url;

    #[test]
    fn metadata_services_are_out_of_reach() {
        for (url, expected) in [
            ("http://169.254.169.254/latest", true),
            ("http://0xa9fea9fe/", true),
            ("http://[fe80::1]/", true),
            ("http://[::ffff:169.254.169.254]/", true),
            ("http://127.0.0.1/", false),
            ("https://charts.example/", false),
        ] {
            assert_eq!(names_refused(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
