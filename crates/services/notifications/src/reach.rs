//! How the repo-server is reached, by the controller and by the command line.

use std::time::Duration;
use tonic::transport::Channel;
use transport::{ChannelOptions, ClientIdentity, Trust};

/// Where it is, whom to believe, and who we are.
#[derive(Clone, Debug, Default)]
pub struct RepoServer {
    /// `host:port`.
    pub address: String,
    /// Without TLS.
    pub plaintext: bool,
    /// Certificates are looked at also where no authority is named: by those that Argo CD mounts.
    pub strict: bool,
    /// File with authorities.
    pub authority: String,
    /// File with our own certificate; it need not be there.
    pub certificate: String,
    /// File with its key.
    pub key: String,
    /// Where Argo CD mounts what it is configured with; empty for `/app/config`.
    pub mounted: String,
    /// The longest call.
    pub timeout: Option<Duration>,
}

impl RepoServer {
    /// A channel to it.
    pub fn channel(&self) -> Result<Channel, String> {
        let own =
            ClientIdentity::from_files(&self.certificate, &self.key).map_err(|error| error.to_string())?;
        let options =
            ChannelOptions { address: self.address.clone(), trust: self.trust()?, timeout: self.timeout };
        transport::connect_as(&options, own.as_ref()).map_err(|error| error.to_string())
    }

    fn trust(&self) -> Result<Trust, String> {
        let read = |path: &str| std::fs::read(path).map_err(|error| format!("read {path}: {error}"));
        if self.plaintext {
            return Ok(Trust::PlainText);
        }
        if !self.authority.is_empty() {
            return read(&self.authority).map(Trust::Authorities);
        }
        if !self.strict {
            return Ok(Trust::AnyCertificate);
        }
        let folder = if self.mounted.is_empty() { "/app/config" } else { self.mounted.as_str() };
        let mut authorities = Vec::new();
        let mut reasons = Vec::new();
        for name in ["tls.crt", "ca.crt"] {
            match read(&format!("{folder}/reposerver/tls/{name}")) {
                Ok(pem) => authorities.extend(pem),
                Err(reason) => reasons.push(reason),
            }
        }
        match authorities.is_empty() {
            true => Err(reasons.join("; ")),
            false => Ok(Trust::Authorities(authorities)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_its_key_is_a_mistake_and_none_at_all_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("client.crt"), "x").expect("written");
        let server =
            RepoServer { certificate: path("client.crt"), key: path("client.key"), ..RepoServer::default() };
        assert!(server.channel().expect_err("no key").contains("client.key"));
    }

    #[test]
    fn strictness_wants_what_argo_cd_mounts() {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = folder.path().to_string_lossy().into_owned();
        let server = RepoServer { strict: true, mounted, ..RepoServer::default() };
        assert!(server.trust().expect_err("nothing is mounted").contains("reposerver/tls/ca.crt"));
        std::fs::create_dir_all(folder.path().join("reposerver/tls")).expect("made");
        std::fs::write(folder.path().join("reposerver/tls/ca.crt"), "authority").expect("written");
        assert!(matches!(server.trust(), Ok(Trust::Authorities(pem)) if pem == b"authority"));
        let plain = RepoServer { plaintext: true, ..server };
        assert!(matches!(plain.trust(), Ok(Trust::PlainText)));
    }
}
