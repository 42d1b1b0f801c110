//! Whatever users write, a pattern is read or refused, and means the same twice.

use glob_pattern::{Pattern, matches};
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_text_breaks_it(pattern in "[a-c*?{},!\\[\\]\\\\/-]{0,40}", text in "[a-c/]{0,20}") {
        let with = Pattern::parse(&pattern, &['/']).is_ok_and(|parsed| parsed.matches(&text));
        // What matches without crossing separators matches when there are none.
        prop_assert!(!with || matches(&pattern, &text, &[]));
    }

    #[test]
    fn a_plain_text_matches_itself_alone(text in "[a-z/.:-]{0,30}", other in "[a-z/.:-]{0,30}") {
        prop_assert!(matches(&text, &text, &['/']));
        prop_assert_eq!(matches(&text, &other, &['/']), text == other);
    }
}
