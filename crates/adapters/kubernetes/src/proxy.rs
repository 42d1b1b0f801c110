//! Which proxy the environment names for a server, by the rules Go programs follow.

use url::Url;

/// The proxy for a server: `HTTPS_PROXY` or `HTTP_PROXY` unless `NO_PROXY` covers the host. Loopback
/// addresses never go through a proxy.
pub(crate) fn from_environment(server: &str) -> Option<String> {
    let read = |name: &str| {
        std::env::var(name)
            .or_else(|_| std::env::var(name.to_lowercase()))
            .ok()
            .filter(|value| !value.is_empty())
    };
    let url = Url::parse(server).ok()?;
    let proxy = read(if url.scheme() == "https" { "HTTPS_PROXY" } else { "HTTP_PROXY" })?;
    (!bypasses(&url, &read("NO_PROXY").unwrap_or_default())).then_some(proxy)
}

/// Whether a list of hosts, domains, addresses and networks covers a server.
fn bypasses(server: &Url, no_proxy: &str) -> bool {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_lowercase();
    let address = host.parse::<std::net::IpAddr>().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        let entry = entry.to_lowercase();
        if let (Some(address), Some((network, bits))) = (address, entry.split_once('/')) {
            return contains(network, bits, address);
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.contains(':') => {
                (name.to_owned(), port.parse::<u16>().ok())
            }
            _ => (entry, None),
        };
        if port.is_some() && port != server.port_or_known_default() {
            return false;
        }
        let name = name.strip_prefix('*').unwrap_or(&name);
        match name.strip_prefix('.') {
            Some(_) => host.ends_with(name),
            None => host == name || host.ends_with(&format!(".{name}")),
        }
    })
}

fn contains(network: &str, bits: &str, address: std::net::IpAddr) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<std::net::IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let octets = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        std::net::IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((network, width), (address, other)) = (octets(network), octets(address));
    if width != other || bits > width {
        return false;
    }
    bits == 0 || (network ^ address) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_covers_hosts_domains_and_networks() {
        let list = "internal.example, .corp.example,10.0.0.0/8, host:8443";
        let covered = |server: &str| bypasses(&Url::parse(server).unwrap(), list);
        assert!(covered("https://internal.example"));
        assert!(covered("https://a.internal.example:6443"));
        assert!(covered("https://x.corp.example"));
        assert!(!covered("https://corp.example"));
        assert!(covered("https://10.2.3.4"));
        assert!(!covered("https://11.2.3.4"));
        assert!(covered("https://host:8443"));
        assert!(!covered("https://host"));
        assert!(covered("https://127.0.0.1:6443"));
        assert!(!covered("https://kubernetes.example"));
    }
}
