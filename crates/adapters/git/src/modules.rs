//! Submodules: what `.gitmodules` says, where their repositories lie, and which credentials go along.

use source_tree::TreePath;

use crate::{
    Repository,
    location::{Location, Route},
    repository::Access,
};

/// The port of SSH where none is named.
const SSH: u16 = 22;
/// Submodules within submodules.
pub(crate) const DEEPEST: usize = 8;
/// Submodules of one repository.
pub(crate) const MOST: usize = 128;
/// Bytes of a `.gitmodules`.
pub(crate) const LARGEST: usize = 1 << 20;

/// An entry of `.gitmodules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) path: TreePath,
    pub(crate) url: String,
}

/// The entries of `.gitmodules`. The last of several for a path counts.
pub(crate) fn declared(text: &[u8]) -> Result<Vec<Declared>, String> {
    if text.len() > LARGEST {
        return Err(format!(".gitmodules is larger than the limit of {LARGEST} bytes"));
    }
    let text = std::str::from_utf8(text).map_err(|error| format!(".gitmodules: {error}"))?;
    let file = gix::config::File::try_from(text).map_err(|error| format!(".gitmodules: {error}"))?;
    let mut all: Vec<Declared> = Vec::new();
    for section in file.sections_by_name("submodule").into_iter().flatten() {
        let (Some(path), Some(url)) = (section.value("path"), section.value("url")) else { continue };
        let path = TreePath::parse(&path.to_string()).map_err(|error| format!(".gitmodules: {error}"))?;
        all.retain(|known| known.path != path);
        all.push(Declared { path, url: url.to_string() });
        if all.len() > MOST {
            return Err(format!("there are more submodules than the limit of {MOST}"));
        }
    }
    Ok(all)
}

/// The repository of a submodule. Credentials go along to the same host and no other; what names a folder of this
/// machine is taken only from a repository that is one itself. `authorities` gives the certificates trusted for
/// another host.
pub(crate) fn repository(
    declared: &Declared,
    parent: &Access,
    authorities: impl FnOnce(&str) -> String,
) -> Result<Repository, String> {
    let url = if declared.url.starts_with("./") || declared.url.starts_with("../") {
        relative(&declared.url, &parent.location)?
    } else {
        declared.url.clone()
    };
    leading_to(&parent.repository, url, authorities)
}

/// The repository at an address that stands in another one.
pub(crate) fn leading_to(
    own: &Repository,
    url: String,
    authorities: impl FnOnce(&str) -> String,
) -> Result<Repository, String> {
    let there = Location::parse(&url).map_err(|error| error.to_string())?;
    let here = Location::parse(&own.url).ok();
    match (&there.route, here.as_ref().map(|here| &here.route)) {
        (Route::Local(_), Some(Route::Local(_))) => return Ok(Repository { url, ..own.clone() }),
        (Route::Local(_), _) => {
            return Err(format!("{}: another repository may not name a folder of this machine", there.shown));
        }
        (there, Some(route)) if same_host(there, route) => {
            let mut found = Repository { url, ..own.clone() };
            if let Some((username, password)) = here.and_then(|here| here.user) {
                // They stand in the address of the one, and in none of the others.
                if found.username.is_empty() {
                    found.username = username;
                }
                if found.password.is_empty() {
                    found.password = password;
                }
            }
            return Ok(found);
        }
        _ => {}
    }
    Ok(Repository {
        certificate_authorities: authorities(&url),
        url,
        proxy: own.proxy.clone(),
        no_proxy: own.no_proxy.clone(),
        known_hosts: own.known_hosts.clone(),
        enable_lfs: own.enable_lfs,
        submodules: own.submodules,
        depth: own.depth,
        ..Repository::default()
    })
}

fn same_host(there: &Route, here: &Route) -> bool {
    match (there, here) {
        (Route::Http(there), Route::Http(here)) => {
            there.scheme() == here.scheme()
                && there.host_str() == here.host_str()
                && there.port_or_known_default() == here.port_or_known_default()
        }
        (
            Route::Ssh { user, host, port, .. },
            Route::Ssh { user: own_user, host: own_host, port: own_port, .. },
        ) => (user, host, port.unwrap_or(SSH)) == (own_user, own_host, own_port.unwrap_or(SSH)),
        _ => false,
    }
}

/// The address that `./` and `../` lead to from a repository, as git counts: the repository is a folder.
fn relative(url: &str, parent: &Location) -> Result<String, String> {
    let climb = |path: &str| -> Result<String, String> {
        let mut parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let mut rest = url;
        loop {
            if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("../") {
                let last = parts.pop().filter(|part| !part.is_empty());
                last.ok_or_else(|| format!("{url} leads out of {}", parent.shown))?;
                rest = after;
            } else {
                break;
            }
        }
        if rest.split('/').any(|part| part == "..") {
            return Err(format!("{url} is no address of a submodule"));
        }
        parts.push(rest);
        Ok(parts.join("/"))
    };
    Ok(match &parent.route {
        Route::Http(here) => {
            let mut there = here.clone();
            there.set_path(&climb(here.path())?);
            there.to_string()
        }
        Route::Ssh { user, host, port, path } => {
            let path = climb(path)?;
            let at = if user.is_empty() { String::new() } else { format!("{user}@") };
            match port {
                // Only the short form has paths below the home folder.
                None if !path.starts_with('/') && !user.is_empty() => format!("{at}{host}:{path}"),
                None => format!("ssh://{at}{host}/{}", path.trim_start_matches('/')),
                Some(port) => format!("ssh://{at}{host}:{port}/{}", path.trim_start_matches('/')),
            }
        }
        Route::Local(here) => climb(&here.display().to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Declared, declared, relative, repository};
    use crate::{Repository, location::Location, repository::Access};
    use source_tree::TreePath;

    #[test]
    fn gitmodules_are_read() {
        let text = b"# c\n[submodule \"a\"]\n\tpath = libs/a\n\turl = ../a.git\n[submodule \"b\"]\n\tpath = \"b c\"\n\turl = https://host/b\n\tbranch = x\n[submodule \"no\"]\n\tpath = none\n[submodule \"a2\"]\n\tpath = libs/a\n\turl = ./x\n";
        let entry =
            |path: &str, url: &str| Declared { path: TreePath::parse(path).unwrap(), url: url.into() };
        assert_eq!(declared(text).unwrap(), [entry("b c", "https://host/b"), entry("libs/a", "./x")]);
        assert!(declared(b"[submodule \"a\"]\npath = ../../x\nurl = u\n").unwrap_err().contains("outside"));
        assert!(declared(b"[submodule").is_err());
        let many: String = (0..200).map(|n| format!("[submodule \"{n}\"]\npath = p{n}\nurl = u\n")).collect();
        assert!(declared(many.as_bytes()).unwrap_err().contains("limit of 128"));
    }

    #[test]
    fn relative_addresses_are_counted_from_the_repository() {
        for (parent, url, expected) in [
            ("https://host/org/apps.git", "../lib.git", "https://host/org/lib.git"),
            ("https://host/org/apps", "../../other/lib", "https://host/other/lib"),
            ("https://host/org/apps", "./sub", "https://host/org/apps/sub"),
            ("git@host:org/apps.git", "../lib.git", "git@host:org/lib.git"),
            ("ssh://git@host:2222/org/apps", "../lib", "ssh://git@host:2222/org/lib"),
            ("/srv/git/apps", "../lib", "/srv/git/lib"),
        ] {
            let parent = Location::parse(parent).unwrap();
            assert_eq!(relative(url, &parent).unwrap(), expected, "{url}");
        }
        let parent = Location::parse("https://host/apps").unwrap();
        assert!(relative("../../x", &parent).is_err());
        assert!(relative("../x/../../y", &parent).is_err());
    }

    #[test]
    fn credentials_stay_on_their_host() {
        let parent = |url: &str| {
            let repository = Repository {
                url: url.into(),
                username: "ann".into(),
                password: "secret-word".into(),
                ssh_private_key: "key".into(),
                insecure: true,
                ..Repository::default()
            };
            Access::new(&repository, &[0; 32]).unwrap()
        };
        let child = |parent: &Access, url: &str| {
            let declared = Declared { path: TreePath::root(), url: url.into() };
            repository(&declared, parent, |url| format!("CA of {url}"))
        };
        let over_http = parent("https://host/org/apps");
        for (url, kept) in [
            ("../lib", true),
            ("https://host/other/lib", true),
            ("https://host:443/lib", true),
            ("https://host:8443/lib", false),
            ("http://host/lib", false),
            ("https://host.example/lib", false),
            ("https://ann@evil/lib", false),
            ("git@host:lib", false),
        ] {
            let found = child(&over_http, url).unwrap();
            assert_eq!(found.password.reveal() == "secret-word" && found.insecure, kept, "{url}");
            assert_eq!(found.ssh_private_key.is_empty(), !kept, "{url}");
            assert_eq!(found.certificate_authorities.is_empty(), kept, "{url}");
        }
        let over_ssh = parent("git@host:org/apps");
        assert!(!child(&over_ssh, "../lib").unwrap().ssh_private_key.is_empty());
        assert!(child(&over_ssh, "git@other:lib").unwrap().ssh_private_key.is_empty());
        for (url, kept) in [
            ("ssh://git@host/org/base", true),
            ("ssh://git@host:22/org/base", true),
            ("ssh://git@host:2222/org/base", false),
            ("git@HOST:org/base.git", true),
            ("https://host/org/base", false),
        ] {
            let found = over_ssh.repository.leading_to(url, |url| format!("CA of {url}")).unwrap();
            assert_eq!(found.ssh_private_key.is_empty(), !kept, "{url}");
        }
        let with_user =
            Repository { url: "https://bob:pass-word@host/org/apps".into(), ..Repository::default() };
        for (url, user) in [("https://host/org/base", "bob"), ("https://other/org/base", "")] {
            let found = with_user.leading_to(url, |_| String::new()).unwrap();
            assert_eq!(
                (found.username.as_str(), found.password.is_empty()),
                (user, user.is_empty()),
                "{url}"
            );
        }
        let nowhere = Repository { proxy: "http://proxy:1".into(), ..Repository::default() };
        assert_eq!(
            nowhere.leading_to("https://host/x", |_| String::new()).unwrap().proxy.reveal(),
            "http://proxy:1"
        );
        for url in ["file:///srv/secret", "/srv/secret"] {
            assert!(child(&over_http, url).unwrap_err().contains("folder of this machine"));
        }
    }
}
