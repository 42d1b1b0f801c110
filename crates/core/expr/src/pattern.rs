//! Go's regular expressions.

use regex::{Regex, RegexBuilder};

/// Largest compiled expression, in bytes.
const SIZE: usize = 1 << 20;

pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let complain =
        |reason: &str| format!("error parsing regexp: {reason}: `{}`", crate::text::brief(pattern));
    let translated = go_regexp::translate(pattern).map_err(|reason| complain(&reason))?;
    RegexBuilder::new(&translated).size_limit(SIZE).build().map_err(|error| {
        let text = error.to_string();
        complain(text.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}
