//! Durations as users write them: Go's, and whole days.

use object::GoDuration;
use std::time::Duration;

/// Reads `1h30m`, `2.5s`, `7d`; `None` for anything else, and for less than nothing.
pub fn go_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Some(days) = text.strip_suffix('d') {
        return days.parse::<u64>().ok()?.checked_mul(86_400).map(Duration::from_secs);
    }
    let duration: GoDuration = text.parse().ok()?;
    (duration.0 >= 0).then(|| duration.to_std())
}

#[cfg(test)]
mod tests {
    use super::go_duration;

    #[test]
    fn durations_read_as_in_go_and_in_days() {
        let milliseconds = |text| go_duration(text).map(|duration| duration.as_millis());
        assert_eq!(milliseconds("3m"), Some(180_000));
        assert_eq!(milliseconds("2.5s"), Some(2_500));
        assert_eq!(milliseconds("0"), Some(0));
        assert_eq!(milliseconds("7d"), Some(604_800_000));
        for text in ["", "5", "m", "-3m", "3x", "d", "99999999999999999999d"] {
            assert_eq!(milliseconds(text), None, "{text:?}");
        }
    }
}
