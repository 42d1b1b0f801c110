//! Values of REST paths that are addresses themselves: clients escape them once more.

use tonic::Status;

/// A path value, unescaped once more as its clients escape it.
pub(super) fn unescaped(text: &str) -> Result<String, Status> {
    let unescaped = percent_decoded(&text.replace('+', " "));
    unescaped.ok_or_else(|| Status::invalid_argument(format!("invalid URL escape in {text:?}")))
}

/// What `%XX` stand for; nothing where one is malformed, or where that is no text.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        // A sign would be taken for a part of the number.
        let digits = std::str::from_utf8(&digits).ok().filter(|text| !text.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// An address as it is meant: over gRPC it comes as it is, over REST escaped once more, without any slash.
pub(super) fn address(text: &str) -> String {
    if text.contains('/') || !text.contains('%') {
        return text.to_owned();
    }
    unescaped(text).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_unescaped_where_they_were_escaped() {
        for (text, meant) in [
            ("https%3A%2F%2Fh%2Fa%2520b", "https://h/a%20b"),
            ("https://h/a%20b", "https://h/a%20b"),
            ("git@h:a.git", "git@h:a.git"),
            ("localhost%3A1%2Foci", "localhost:1/oci"),
            ("%zz", "%zz"),
        ] {
            assert_eq!(address(text), meant);
        }
    }

    #[test]
    fn path_values_are_unescaped_or_refused() {
        assert_eq!(unescaped("https%3A%2F%2Fa.b").unwrap(), "https://a.b");
        for text in ["%", "%4", "%zz", "%ff"] {
            assert!(unescaped(text).is_err(), "{text}");
        }
    }
}
