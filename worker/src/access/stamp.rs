//! Moments in words, made once a second and used for every line of it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::ink::Ink;

const NS: u64 = 1_000_000_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// From the monotonic clock to the calendar, always UTC: a worker has no business with time zones,
/// and lines of two machines can be compared.
#[derive(Debug)]
pub(super) struct Stamps {
    /// The monotonic second in which the calendar was looked at last.
    looked: u64,
    /// What is added to the monotonic clock.
    offset_ns: u64,
    /// The second since 1970 that the words below are for.
    second: u64,
    /// `2026-11-21T22:30:00`.
    rfc3339: [u8; 19],
    /// `21/Nov/2026:22:30:00 +0000`.
    clf: [u8; 26],
}

impl Stamps {
    pub(super) fn new() -> Self {
        Self {
            looked: u64::MAX,
            offset_ns: 0,
            second: u64::MAX,
            rfc3339: [0; 19],
            clf: [0; 26],
        }
    }

    /// The calendar is looked at again once in a second: somebody may set it.
    pub(super) fn look(&mut self, now_ns: u64) {
        if self.looked != now_ns / NS {
            self.looked = now_ns / NS;
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
            let unix = since_1970.unwrap_or_default().as_nanos();
            self.offset_ns = u64::try_from(unix).unwrap_or(0).wrapping_sub(now_ns);
        }
    }

    /// Nanoseconds since 1970 at a moment of the monotonic clock.
    pub(super) fn unix_ns(&self, at_ns: u64) -> u64 {
        at_ns.wrapping_add(self.offset_ns)
    }

    /// `2026-11-21T22:30:00.123Z`.
    pub(super) fn put_rfc3339(&mut self, line: &mut Ink, at_ns: u64) {
        let of_second = self.turn_to(at_ns);
        let mut words = *b"2026-11-21T22:30:00.123Z";
        words[..19].copy_from_slice(&self.rfc3339);
        words[20..23].copy_from_slice(&milliseconds(of_second));
        line.put_short(&words, 24);
    }

    /// `21/Nov/2026:22:30:00 +0000`.
    pub(super) fn put_clf(&mut self, line: &mut Ink, at_ns: u64) {
        self.turn_to(at_ns);
        line.put_short(&self.clf, 26);
    }

    /// `1795300200.123`.
    pub(super) fn put_epoch(&mut self, line: &mut Ink, at_ns: u64) {
        let unix = self.unix_ns(at_ns);
        put_number(line, unix / NS);
        line.put_byte(b'.');
        line.put_short(&milliseconds(unix % NS / 1_000_000), 3);
    }

    /// Makes the words for this moment's second; the milliseconds in it.
    fn turn_to(&mut self, at_ns: u64) -> u64 {
        let unix = self.unix_ns(at_ns);
        if self.second != unix / NS {
            self.second = unix / NS;
            self.write();
        }
        unix % NS / 1_000_000
    }

    fn write(&mut self) {
        let (year, month, day) = date(self.second / 86_400);
        let of_day = self.second % 86_400;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        let name = MONTHS[month as usize - 1];
        let rfc3339 = format!("{year:04}-{month:02}-{day:02}T{time}");
        let clf = format!("{day:02}/{name}/{year:04}:{time} +0000");
        // A year of five digits would not fit, and is cut.
        self.rfc3339.copy_from_slice(&rfc3339.as_bytes()[..19]);
        self.clf.copy_from_slice(&clf.as_bytes()[..26]);
    }
}

/// Year, month and day of a day since 1970 (Gregorian; the civil-from-days method).
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Two digits each.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

fn pair(number: u32) -> [u8; 2] {
    PAIRS[number as usize % 100]
}

/// A number in digits.
pub(super) fn put_number(line: &mut Ink, number: u64) {
    if number < 1000 {
        let [tens, ones] = pair(number as u32);
        let hundreds = b'0' + (number / 100) as u8;
        return match number {
            0..10 => line.put_byte(ones),
            10..100 => line.put_short(&[tens, ones], 2),
            _ => line.put_short(&[hundreds, tens, ones], 3),
        };
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    while rest > 0 {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    line.put(&digits[start..]);
}

/// Three digits.
fn milliseconds(number: u64) -> [u8; 3] {
    let [tens, ones] = pair(number as u32);
    [b'0' + (number / 100) as u8, tens, ones]
}

/// Nanoseconds as seconds to the microsecond: `0.000123`.
pub(super) fn put_seconds(line: &mut Ink, ns: u64) {
    let (seconds, microseconds) = (ns / NS, (ns % NS / 1000) as u32);
    let ([a, b], [c, d], [e, f]) = (
        pair(microseconds / 10_000),
        pair(microseconds / 100),
        pair(microseconds),
    );
    if seconds < 10 {
        return line.put_short(&[b'0' + seconds as u8, b'.', a, b, c, d, e, f], 8);
    }
    put_number(line, seconds);
    line.put_short(&[b'.', a, b, c, d, e, f], 7);
}

#[cfg(test)]
mod tests {
    use super::{NS, Stamps, put_number, put_seconds};
    use crate::access::ink::Ink;

    fn words(unix_ms: u64) -> [String; 3] {
        let mut stamps = Stamps::new();
        stamps.offset_ns = 5;
        let at = unix_ms * 1_000_000 - 5;
        let mut lines: [Ink; 3] = Default::default();
        stamps.put_rfc3339(&mut lines[0], at);
        stamps.put_clf(&mut lines[1], at);
        stamps.put_epoch(&mut lines[2], at);
        lines.map(|line| String::from_utf8(line.into_bytes()).unwrap())
    }

    #[test]
    fn a_moment_has_three_ways_to_be_told() {
        for (unix_ms, rfc3339, clf, epoch) in [
            (
                1,
                "1970-01-01T00:00:00.001Z",
                "01/Jan/1970:00:00:00 +0000",
                "0.001",
            ),
            (
                951_827_696_789,
                "2000-02-29T12:34:56.789Z",
                "29/Feb/2000:12:34:56 +0000",
                "951827696.789",
            ),
            (
                1_798_761_599_999,
                "2026-12-31T23:59:59.999Z",
                "31/Dec/2026:23:59:59 +0000",
                "1798761599.999",
            ),
            (
                4_107_542_400_000,
                "2100-03-01T00:00:00.000Z",
                "01/Mar/2100:00:00:00 +0000",
                "4107542400.000",
            ),
        ] {
            assert_eq!(words(unix_ms), [rfc3339, clf, epoch]);
        }
    }

    #[test]
    fn the_calendar_is_looked_at_once_a_second() {
        let mut stamps = Stamps::new();
        stamps.look(NS);
        let first = stamps.offset_ns;
        assert!(first > 0);
        stamps.offset_ns = 7;
        stamps.look(NS + 999_999_999);
        assert_eq!(stamps.offset_ns, 7);
        stamps.look(2 * NS);
        assert!(stamps.offset_ns.abs_diff(first) < 60 * NS);
    }

    #[test]
    fn numbers_are_digits() {
        let mut line = Ink::default();
        for number in [0, 7, 10, 99, 100, 999, 1000, 1_234_567, u64::MAX] {
            put_number(&mut line, number);
            line.put_byte(b' ');
        }
        put_seconds(&mut line, 1_000_123_999);
        line.put_byte(b' ');
        put_seconds(&mut line, 12_345_678_901_234);
        assert_eq!(
            String::from_utf8(line.into_bytes()).unwrap(),
            format!(
                "0 7 10 99 100 999 1000 1234567 {} 1.000123 12345.678901",
                u64::MAX
            )
        );
    }
}
