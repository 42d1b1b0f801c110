//! Whatever users write, it is read or refused.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use project::{Schedule, normalized};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_schedule_is_read_or_refused_and_comes_later(
        text in "([0-9*/,?-]{1,6} ){4}[0-9*/,?a-z-]{1,6}",
        second in 0_i64..4_000_000_000,
    ) {
        let moment = Timestamp::from_second(second).expect("within the years of timestamps");
        if let Ok(schedule) = Schedule::parse(&text) {
            let clock = TimeZone::UTC.to_datetime(moment);
            let next = schedule.next_after(clock);
            prop_assert!(next.is_none_or(|next| next > clock && next.second() == 0));
        }
    }

    #[test]
    fn an_address_is_normal_after_one_go(text in "\\PC{0,40}") {
        let once = normalized(&text);
        if !once.ends_with(".git") && !once.contains('@') {
            prop_assert_eq!(normalized(&once), once.trim().to_owned());
        }
    }
}
