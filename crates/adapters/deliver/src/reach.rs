//! What addresses may be reached. Where a request goes is written by users, and what a name resolves to is decided by whoever
//! owns it: both are looked at where the connection is made, redirects included.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How far a configuration may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The control plane's: everywhere but to the metadata services of clouds.
    Ours,
    /// A configuration of users' own: not to this machine either.
    Users,
}

impl Reach {
    pub(crate) fn permits(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let metadata = match address {
            IpAddr::V4(address) => address.is_link_local() || address == Ipv4Addr::new(100, 100, 100, 200),
            IpAddr::V6(address) => {
                address.is_unicast_link_local()
                    || address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
            }
        };
        let here = address.is_loopback() || address.is_unspecified();
        !metadata && !address.is_multicast() && (self == Self::Ours || !here)
    }

    /// Whether an address that is written as a number may be reached; names are looked at when they are resolved.
    pub(crate) fn permits_host(self, url: &url::Url) -> bool {
        match url.host() {
            Some(url::Host::Ipv4(address)) => self.permits(address.into()),
            Some(url::Host::Ipv6(address)) => self.permits(address.into()),
            Some(url::Host::Domain(_)) => true,
            None => false,
        }
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.filter(|address| reach.permits(address.ip())).collect();
            if addresses.is_empty() {
                return Err("the name leads to addresses that must not be reached only".into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_out_of_reach_and_this_machine_for_users() {
        let check = |address: &str, ours: bool, users: bool| {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(
                (Reach::Ours.permits(address), Reach::Users.permits(address)),
                (ours, users),
                "{address}"
            );
        };
        check("169.254.169.254", false, false);
        check("::ffff:169.254.169.254", false, false);
        check("fd00:ec2::254", false, false);
        check("fe80::1", false, false);
        check("127.0.0.1", true, false);
        check("::1", true, false);
        check("0.0.0.0", true, false);
        check("10.0.0.1", true, true);
        check("93.184.216.34", true, true);
    }
}
