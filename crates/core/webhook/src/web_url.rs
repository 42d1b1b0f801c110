//! Host and path of an address, split as Go's `net/url` does it: the expression that finds applications is built from its
//! host name and its escaped path.

/// The parts of an address that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebUrl {
    /// Host with its port, IPv6 in brackets.
    pub(crate) host: String,
    /// Host alone, IPv6 without brackets.
    pub(crate) hostname: String,
    /// The path as it is escaped, with its leading slash if it has one.
    pub(crate) path: String,
}

/// Not an address at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoUrl;

impl WebUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, NoUrl> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err(NoUrl);
        }
        unescaped(fragment).ok_or(NoUrl)?;
        if text == "*" {
            return Ok(Self::of("", "*"));
        }
        let (scheme, rest) = split_scheme(text)?;
        let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                return Ok(Self::of("", ""));
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err(NoUrl);
            }
        }
        let authority = match rest.strip_prefix("//") {
            Some(after) if !scheme.is_empty() || !rest.starts_with("///") => Some(after),
            _ => None,
        };
        let Some(after) = authority else { return Ok(Self::of("", &escaped_path(rest)?)) };
        let end = after.find('/').unwrap_or(after.len());
        let (authority, path) = after.split_at(end);
        let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        Ok(Self::of(&host(authority, web)?, &escaped_path(path)?))
    }

    fn of(host: &str, path: &str) -> Self {
        let name = match host.rfind(':') {
            Some(colon) if is_optional_port(&host[colon..]) => &host[..colon],
            _ => host,
        };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        Self { host: host.to_owned(), hostname: bare.to_owned(), path: path.to_owned() }
    }
}

fn split_scheme(text: &str) -> Result<(&str, &str), NoUrl> {
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if position > 0 => {}
            b':' if position == 0 => return Err(NoUrl),
            b':' => return Ok((&text[..position], &text[position + 1..])),
            _ => return Ok(("", text)),
        }
    }
    Ok(("", text))
}

fn host(authority: &str, web: bool) -> Result<String, NoUrl> {
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if let Some(user) = user {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(allowed) || unescaped(user).is_none() {
            return Err(NoUrl);
        }
    }
    match host.rfind('[') {
        Some(0) => {
            let close = host.rfind(']').ok_or(NoUrl)?;
            let literal = unescaped_host(&host[1..close])?;
            let address = literal.split('%').next().unwrap_or_default();
            if !is_optional_port(&host[close + 1..]) || address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(NoUrl);
            }
            Ok(format!("[{literal}]{}", &host[close + 1..]))
        }
        Some(_) => Err(NoUrl),
        None => {
            let colon = if web { host.find(':') } else { host.rfind(':') };
            if colon.is_some_and(|colon| !is_optional_port(&host[colon..])) {
                return Err(NoUrl);
            }
            unescaped_host(host)
        }
    }
}

/// Nothing, or a colon with digits or none.
fn is_optional_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// In a host only bytes beyond ASCII may be escaped.
fn unescaped_host(host: &str) -> Result<String, NoUrl> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
    let bytes = host.as_bytes();
    let escapes_ascii =
        bytes.windows(3).any(|three| three[0] == b'%' && (b'0'..b'8').contains(&three[1]) && three != b"%25");
    if escapes_ascii || !bytes.iter().copied().all(allowed) {
        return Err(NoUrl);
    }
    unescaped(host).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(NoUrl)
}

/// What `%XX` stand for; nothing when one is malformed.
pub(crate) fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut result = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            result.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        result.push(digit()? << 4 | digit()?);
    }
    Some(result)
}

/// The path as it was written if that is a valid way to write it, else escaped anew.
fn escaped_path(path: &str) -> Result<String, NoUrl> {
    let plain = unescaped(path).ok_or(NoUrl)?;
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    if path.bytes().all(|byte| unreserved(byte) || b"!'()*[]%".contains(&byte)) {
        return Ok(path.to_owned());
    }
    let mut escaped = String::with_capacity(path.len());
    for byte in plain {
        if unreserved(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(escaped)
}
