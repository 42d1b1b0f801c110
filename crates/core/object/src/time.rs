//! Times as Kubernetes writes them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2006-01-02T15:04:05Z`: what `metadata.creationTimestamp` and its kin hold. Fractions are cut.
pub fn format_seconds(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2006-01-02T15:04:05.000000Z`: leases and events.
pub fn format_micros(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Reads RFC 3339 as Go does: any offset, any fraction, nothing else.
pub fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && [4, 7].iter().all(|at| bytes[*at] == b'-')
        && [13, 16].iter().all(|at| bytes[*at] == b':')
        && bytes[10] == b'T'
        && text.ends_with(|last: char| last == 'Z' || last.is_ascii_digit());
    if shaped { text.parse().ok() } else { None }
}
