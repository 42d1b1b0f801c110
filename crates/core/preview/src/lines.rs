//! The difference of two texts, line by line.

use similar::TextDiff;

/// Lines around a change that are shown.
const AROUND: usize = 3;
/// Lines that are compared; the time it takes grows with their square.
const MOST_LINES: usize = 3_000;
/// Bytes likewise.
const MOST_BYTES: usize = 512 << 10;

/// What differs, as `diff -u` shows it without its head. Nothing when the texts are too large.
pub fn difference(before: &str, after: &str) -> Option<String> {
    let small = |text: &str| text.len() <= MOST_BYTES && text.lines().count() <= MOST_LINES;
    if !small(before) || !small(after) {
        return None;
    }
    let difference = TextDiff::from_lines(before, after);
    Some(difference.unified_diff().context_radius(AROUND).missing_newline_hint(false).to_string())
}

#[cfg(test)]
mod tests {
    use super::{MOST_LINES, difference};

    #[test]
    fn lines_that_differ_are_shown_with_some_around() {
        let before = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\n";
        let after = "a: 1\nb: 2\nc: 3\nd: 4\ne: 6\nf: 6\n";
        let shown = difference(before, after).expect("small");
        assert_eq!(shown, "@@ -2,5 +2,5 @@\n b: 2\n c: 3\n d: 4\n-e: 5\n+e: 6\n f: 6\n");
        assert_eq!(difference("", "a\nb\n").expect("small"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
        assert_eq!(difference("a\n", "a\n").expect("small"), "");
        assert_eq!(difference(&"a\n".repeat(MOST_LINES + 1), ""), None);
    }
}
