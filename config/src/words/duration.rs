//! Durations: plain numbers are seconds, as in uvicorn (`30`, `0.5`), or numbers with units from
//! the largest to the smallest (`250ms`, `1m 30s`, `2h`). To the millisecond, at most 24 hours:
//! every deadline is finite.

use std::time::Duration;

use super::fault::{Fault, quoted};
use super::nearest::nearest;
use super::size::{OFF, is_off};

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const CURE: &str = "write seconds (`30`, `0.5`) or units (`250ms`, `1m 30s`, `2h`)";
const UNITS: [(&str, u128); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A deadline: 1 ms to 24 h.
pub(crate) fn deadline(text: &str) -> Result<Duration, Fault> {
    match duration(text)? {
        Duration::ZERO => Err(Fault::new(
            "0 leaves no time at all",
            "write `1ms` or more; there is no `never`, but up to `24h` is allowed",
        )),
        time => Ok(time),
    }
}

/// A duration that may be 0: 0 to 24 h.
pub(crate) fn duration(text: &str) -> Result<Duration, Fault> {
    let words = text.trim();
    if words.starts_with('-') {
        return Err(Fault::new(format!("{} is negative", quoted(words)), CURE));
    }
    if ["inf", "infinity", "never", "none", "off"].contains(&words.to_lowercase().as_str()) {
        return Err(Fault::new(
            format!("{} has no end, and every deadline is finite", quoted(words)),
            "write a long one, up to `24h`",
        ));
    }
    let total = milliseconds(words).ok_or_else(|| not_a_duration(words))??;
    match u64::try_from(total).map(Duration::from_millis) {
        Ok(time) if time <= LONGEST => Ok(time),
        _ => Err(Fault::new(
            format!("{} is longer than 24 hours", quoted(words)),
            "write at most `24h`",
        )),
    }
}

/// A limit on time that can be turned off: `off` (0), or from `least` to 24 h.
pub(crate) fn limit_of_time(text: &str, least: Duration) -> Result<Option<Duration>, Fault> {
    let word = text.trim();
    if is_off(word) {
        return Ok(None);
    }
    let fewest = show_duration(least);
    match duration(word) {
        Ok(Duration::ZERO) => Ok(None),
        Ok(time) if time < least => Err(Fault::new(
            format!("{} is too short", quoted(word)),
            format!("write `{fewest}` or more, or `{OFF}`"),
        )
        .meaning(Some(&fewest))),
        Ok(time) => Ok(Some(time)),
        Err(fault) => {
            let meant = nearest(word, [OFF]);
            let never = ["inf", "infinity", "never", "none"].contains(&&*word.to_lowercase());
            Err(match meant.or(never.then_some(OFF)) {
                Some(meant) => not_a_duration(word).meaning(Some(meant)),
                None => fault,
            })
        }
    }
}

/// The words for a limit on time.
pub(crate) fn show_limit_of_time(limit: Option<Duration>) -> String {
    limit.map_or_else(|| OFF.to_owned(), show_duration)
}

/// The shortest words for a duration: `1m 30s`, `1.5s`, `250ms`.
pub(crate) fn show_duration(time: Duration) -> String {
    let all = time.as_millis();
    let (hours, minutes, rest) = (all / 3_600_000, all / 60_000 % 60, all % 60_000);
    let mut words = Vec::new();
    if hours > 0 {
        words.push(format!("{hours}h"));
    }
    if minutes > 0 {
        words.push(format!("{minutes}m"));
    }
    match (rest / 1000, rest % 1000) {
        (0, 0) if words.is_empty() => words.push("0s".to_owned()),
        (0, 0) => {}
        (seconds, 0) => words.push(format!("{seconds}s")),
        (0, thousandths) => words.push(format!("{thousandths}ms")),
        (seconds, thousandths) => {
            let decimals = format!("{thousandths:03}");
            words.push(format!("{seconds}.{}s", decimals.trim_end_matches('0')));
        }
    }
    words.join(" ")
}

fn not_a_duration(words: &str) -> Fault {
    Fault::new(format!("{} is not a duration", quoted(words)), CURE)
}

/// The sum in milliseconds; `None` if the grammar does not fit.
fn milliseconds(words: &str) -> Option<Result<u128, Fault>> {
    let mut rest = words;
    let mut units = UNITS.iter();
    let mut total = 0_u128;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let after = after.trim_start();
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = if unit.is_empty() && number == words {
            "s"
        } else {
            unit
        };
        // The iterator goes on where the last unit was found: each once, from large to small.
        let (_, scale) = units.find(|(name, _)| *name == unit)?;
        match scaled(number, *scale)? {
            Ok(part) => total += part,
            Err(fault) => return Some(Err(fault)),
        }
        rest = after.trim_start();
    }
    (!words.is_empty()).then_some(Ok(total))
}

/// A decimal number times `scale`, exactly; `None` if it is not a number.
fn scaled(number: &str, scale: u128) -> Option<Result<u128, Fault>> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let decimals = decimals.trim_end_matches('0');
    // More digits than these are far beyond 24 h, or far finer than a millisecond.
    if whole.len() > 15 {
        return Some(Ok(u128::from(u64::MAX)));
    }
    let too_fine = || {
        Fault::new(
            format!("{} is finer than a millisecond", quoted(number)),
            "deadlines are kept to the millisecond: write `1ms`, `0.25s`",
        )
    };
    if decimals.len() > 15 {
        return Some(Err(too_fine()));
    }
    let value = |part: &str| part.parse::<u128>().unwrap_or(0);
    let tens = 10_u128.pow(u32::try_from(decimals.len()).unwrap_or(0));
    let fraction = value(decimals) * scale;
    if !fraction.is_multiple_of(tens) {
        return Some(Err(too_fine()));
    }
    Some(Ok(value(whole) * scale + fraction / tens))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{deadline, duration, limit_of_time, show_duration};

    fn millis(text: &str) -> u128 {
        duration(text).unwrap().as_millis()
    }

    #[test]
    fn a_plain_number_is_seconds() {
        assert_eq!(millis("30"), 30_000);
        assert_eq!(millis("0.5"), 500);
        assert_eq!(millis(" 7 \r"), 7000);
        assert_eq!(millis("0"), 0);
    }

    #[test]
    fn units_go_from_large_to_small() {
        assert_eq!(millis("250ms"), 250);
        assert_eq!(millis("1m 30s"), 90_000);
        assert_eq!(millis("1h2m3s4ms"), 3_723_004);
        assert_eq!(millis("1.5 h"), 5_400_000);
        for wrong in [
            "30s 1m", "1s 1s", "1m 30", "s", "1.5.5s", "1d", "1,5s", "", "+3", "0x10",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn zero_is_no_deadline() {
        assert!(deadline("0").is_err());
        assert!(deadline("0h 0ms").is_err());
        assert!(deadline("1ms").is_ok());
    }

    #[test]
    fn every_duration_is_finite_and_bounded() {
        assert_eq!(duration("24h").unwrap(), Duration::from_secs(86_400));
        for wrong in [
            "86400.001",
            "25h",
            "inf",
            "never",
            "9999999999999999999999999999",
            "-1",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_may_be_off_and_has_a_least_value() {
        let least = Duration::from_millis(20);
        let nearest = |text| limit_of_time(text, least).unwrap_err().nearest;
        for off in ["off", "0", "0s", " 0 "] {
            assert_eq!(limit_of_time(off, least), Ok(None));
        }
        assert_eq!(limit_of_time("20ms", least), Ok(Some(least)));
        assert_eq!(nearest("19ms").as_deref(), Some("20ms"));
        assert_eq!(nearest("never").as_deref(), Some("off"));
        assert_eq!(nearest("of").as_deref(), Some("off"));
        assert_eq!(nearest("25h"), None);
        assert_eq!(nearest(""), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(millis in 0_u64..=86_400_000) {
            let time = Duration::from_millis(millis);
            prop_assert_eq!(duration(&show_duration(time)).unwrap(), time);
        }

        #[test]
        fn no_words_panic(text in r"\PC*|[0-9hms. ]*") {
            let _ = duration(&text);
        }
    }
}
