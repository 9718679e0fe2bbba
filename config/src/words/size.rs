//! Amounts: bytes of memory, and parts of all workers.

use super::fault::{Fault, quoted};
use super::nearest::nearest;
use crate::types::{MAX_WORKERS, Share, WorkerMemory};

/// The word for a limit that is not there; 0 means the same.
pub(crate) const OFF: &str = "off";
/// The words that a limit takes beside its number.
pub(crate) const OFF_WORDS: &[&str] = &[OFF];
/// The most memory that can be named: a pebibyte.
pub(crate) const MOST_BYTES: u64 = 1 << 50;
/// Less than this no process has.
const LEAST_BYTES: u64 = 1 << 20;

/// Powers of 1024 first, so that they are preferred where both would do.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1000),
];
const MEMORY_CURE: &str = "write bytes (`536870912`) or a unit (`512MiB`, `1.5GiB`, `300MB`), at \
                           least `1MiB`, or a percentage of the memory that there is (`25%`), or \
                           `off`";

/// An amount of memory, a percentage of it, or `off` (0).
pub(crate) fn memory(text: &str) -> Result<Option<WorkerMemory>, Fault> {
    let word = text.trim();
    match word.strip_suffix('%') {
        _ if is_off(word) => Ok(None),
        Some(number) => percent(word, number.trim_end()).map(|n| Some(WorkerMemory::Percent(n))),
        None => amount(word).map(|bytes| Some(WorkerMemory::Bytes(bytes))),
    }
}

fn percent(word: &str, number: &str) -> Result<u8, Fault> {
    let (what, meant) = match number.parse::<u8>() {
        Ok(0) => ("is no memory at all", Some("off")),
        Ok(percent @ 1..=100) => return Ok(percent),
        Ok(101..) => ("is more memory than there is", Some("100%")),
        Err(_) => ("is not a percentage from `1%` to `100%`", None),
    };
    Err(Fault::new(format!("{} {what}", quoted(word)), MEMORY_CURE).meaning(meant))
}

fn amount(word: &str) -> Result<u64, Fault> {
    let end = word
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    let Some(bytes) = scaled(number, unit.trim_start()) else {
        let fault = Fault::new(
            format!("{} is not an amount of memory", quoted(word)),
            MEMORY_CURE,
        );
        return Err(fault.meaning(meant(number, unit.trim_start(), word).as_deref()));
    };
    if bytes < u128::from(LEAST_BYTES) {
        return Err(Fault::new(
            format!("no worker would fit into {}", quoted(word)),
            MEMORY_CURE,
        ));
    }
    match u64::try_from(bytes) {
        Ok(bytes) if bytes <= MOST_BYTES => Ok(bytes),
        _ => Err(Fault::new(
            format!("{} is more memory than machines have", quoted(word)),
            "write at most `1024TiB`",
        )),
    }
}

/// A number of bytes, from `least` to `most`.
pub(crate) fn bytes(text: &str, least: u64, most: u64) -> Result<u64, Fault> {
    let word = text.trim();
    let (fewest, largest) = (show_bytes(least), show_bytes(most));
    let cure =
        format!("write bytes (`8192`) or a unit (`8KiB`, `1MB`), from `{fewest}` to `{largest}`");
    let end = word
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    let unit = unit.trim_start();
    let Some(bytes) = scaled(number, unit) else {
        let what = format!("{} is not an amount of bytes", quoted(word));
        return Err(Fault::new(what, cure).meaning(meant(number, unit, word).as_deref()));
    };
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    if bytes < least || bytes > most {
        let what = format!(
            "{} is too {}",
            quoted(word),
            if bytes < least { "little" } else { "much" }
        );
        return Err(Fault::new(what, cure));
    }
    Ok(bytes)
}

/// The same, or `off` (0).
pub(crate) fn limit_of_bytes(text: &str, least: u64) -> Result<Option<u64>, Fault> {
    if is_off(text.trim()) {
        return Ok(None);
    }
    bytes(text, least, MOST_BYTES)
        .map(Some)
        .map_err(|mut fault| {
            fault.cure = format!("{}, or `{OFF}`", fault.cure);
            fault
        })
}

/// The shortest words for a number of bytes.
pub(crate) fn show_bytes(bytes: u64) -> String {
    let unit = UNITS
        .iter()
        .find(|(_, size)| bytes > 0 && bytes.is_multiple_of(*size));
    match unit {
        Some((unit, size)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

/// The words for a limit in bytes.
pub(crate) fn show_limit_of_bytes(limit: Option<u64>) -> String {
    limit.map_or_else(|| OFF.to_owned(), show_bytes)
}

/// The shortest words for an amount of memory.
pub(crate) fn show_memory(limit: Option<WorkerMemory>) -> String {
    match limit {
        None => OFF.to_owned(),
        Some(WorkerMemory::Percent(percent)) => format!("{percent}%"),
        Some(WorkerMemory::Bytes(bytes)) => show_bytes(bytes),
    }
}

/// A number and its unit in bytes, what is finer left out; `None` if it is no amount.
fn scaled(number: &str, unit: &str) -> Option<u128> {
    let size = match unit {
        "" | "B" => 1,
        _ => UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .map(|(_, size)| *size)?,
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 9 {
        return None;
    }
    // Too many digits are too much memory.
    let whole = whole.trim_start_matches('0');
    if whole.len() > 18 {
        return Some(u128::MAX);
    }
    let value = |part: &str| part.parse::<u128>().unwrap_or(0);
    let tens = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    let size = u128::from(size);
    Some(value(whole) * size + value(decimals) * size / tens)
}

/// What somebody meant who wrote `512M` or `1g`: others mean powers of 1024 by that.
fn meant(number: &str, unit: &str, word: &str) -> Option<String> {
    let letter = unit.chars().next()?;
    let is_short = unit.len() == 1 || unit.eq_ignore_ascii_case(&format!("{letter}i"));
    let short = UNITS
        .iter()
        .find(|(name, _)| name.starts_with(letter.to_ascii_uppercase()))
        .filter(|_| is_short)
        .map(|(name, _)| *name);
    let unit = short.or_else(|| nearest(unit, UNITS.map(|(name, _)| name)));
    match unit {
        Some(unit) if !number.is_empty() => Some(format!("{number}{unit}")),
        _ => nearest(word, [OFF]).map(str::to_owned),
    }
}

/// A number of workers, or a percentage of them.
pub(crate) fn share(text: &str) -> Result<Share, Fault> {
    let word = text.trim();
    let cure = format!(
        "write a number of workers (0 to {MAX_WORKERS}) or a percentage of them (`0%` to `100%`)"
    );
    let fault = |what: &str| Fault::new(format!("{} {what}", quoted(word)), cure.clone());
    let percent = word.strip_suffix('%').map(str::trim_end);
    let Ok(number) = percent.unwrap_or(word).parse::<i128>() else {
        let part = word.parse::<f64>().ok().filter(|n| *n > 0.0 && *n <= 1.0);
        let meant = part.map(|part| format!("{:.0}%", part * 100.0));
        return Err(
            fault("is neither a number of workers nor a percentage").meaning(meant.as_deref())
        );
    };
    match (percent, u16::try_from(number)) {
        (Some(_), Ok(number)) if number <= 100 => {
            Ok(Share::Percent(u8::try_from(number).unwrap_or(100)))
        }
        (Some(_), _) if number > 100 => {
            Err(fault("is more than all workers").meaning(Some("100%")))
        }
        (None, Ok(number)) if number <= MAX_WORKERS => Ok(Share::Count(number)),
        (None, _) if number > 0 => {
            Err(fault("is more than one supervisor runs").meaning(Some(&MAX_WORKERS.to_string())))
        }
        _ => Err(fault("is negative")),
    }
}

/// The same, but not none of them.
pub(crate) fn some_share(text: &str) -> Result<Share, Fault> {
    match share(text)? {
        Share::Count(0) | Share::Percent(0) => {
            let what = format!("{} is nobody", quoted(text.trim()));
            let cure = format!(
                "write a number of workers (1 to {MAX_WORKERS}) or a percentage of them (`1%` to `100%`)"
            );
            Err(Fault::new(what, cure))
        }
        some => Ok(some),
    }
}

/// The words for a share.
pub(crate) fn show_share(share: Share) -> String {
    match share {
        Share::Count(count) => count.to_string(),
        Share::Percent(percent) => format!("{percent}%"),
    }
}

/// Whether the words say that there is no limit.
pub(crate) fn is_off(word: &str) -> bool {
    word == OFF || (!word.is_empty() && word.bytes().all(|byte| byte == b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        MOST_BYTES, bytes, limit_of_bytes, memory, share, show_bytes, show_memory, show_share,
        some_share,
    };
    use crate::types::{Share, WorkerMemory};

    #[test]
    fn memory_is_bytes_or_has_a_unit() {
        for (text, bytes) in [
            ("512MiB", 512 << 20),
            ("1GiB", 1 << 30),
            ("1.5 GiB", 3 << 29),
            ("300MB", 300_000_000),
            (" 300mb\r", 300_000_000),
            ("536870912", 512 << 20),
            ("1048576B", 1 << 20),
            ("1024TiB", MOST_BYTES),
        ] {
            assert_eq!(memory(text), Ok(Some(WorkerMemory::Bytes(bytes))), "{text}");
        }
        for (text, percent) in [("25%", 25), (" 100 %", 100), ("1%", 1)] {
            assert_eq!(memory(text), Ok(Some(WorkerMemory::Percent(percent))));
        }
        assert_eq!(memory("off"), Ok(None));
        assert_eq!(memory("0"), Ok(None));
        for wrong in [
            "",
            "-1",
            "1MiB 1KiB",
            "512",
            "1048575",
            "1023KiB",
            "MiB",
            "1..5GiB",
            ".5GiB",
            "1e9",
            "1025TiB",
            "99999999999999999999999GiB",
            "0%",
            "101%",
            "999%",
            "-5%",
            "12.5%",
            "%",
        ] {
            assert!(memory(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_unit_that_others_use_is_understood_and_corrected() {
        for (text, meant) in [
            ("512M", "512MiB"),
            ("1g", "1GiB"),
            ("1.5Gi", "1.5GiB"),
            ("64k", "64KiB"),
            ("300MBs", "300MB"),
            ("150%", "100%"),
            ("0%", "off"),
        ] {
            let fault = memory(text).unwrap_err();
            assert_eq!(fault.nearest.as_deref(), Some(meant), "{text}");
        }
        assert_eq!(memory("of").unwrap_err().nearest.as_deref(), Some("off"));
    }

    #[test]
    fn an_amount_of_bytes_is_read_shown_and_kept_in_bounds() {
        for (text, amount, shown) in [
            ("64", 64, "64"),
            ("8KiB", 8192, "8KiB"),
            ("8192", 8192, "8KiB"),
            ("1.5 kb", 1500, "1500"),
            ("1MB", 1_000_000, "1MB"),
        ] {
            assert_eq!(bytes(text, 64, 1 << 20), Ok(amount), "{text}");
            assert_eq!(show_bytes(amount), shown);
        }
        for wrong in ["63", "1025KiB", "-1", "", "8 apples", "1e3", "25%"] {
            assert!(bytes(wrong, 64, 1 << 20).is_err(), "{wrong:?}");
        }
        assert_eq!(
            bytes("8k", 64, 1 << 20).unwrap_err().nearest.as_deref(),
            Some("8KiB")
        );
        assert_eq!(limit_of_bytes("off", 1), Ok(None));
        assert_eq!(limit_of_bytes("0", 1), Ok(None));
        assert_eq!(limit_of_bytes("64MiB", 1), Ok(Some(64 << 20)));
    }

    #[test]
    fn a_share_may_have_to_be_somebody() {
        assert_eq!(some_share("1"), Ok(Share::Count(1)));
        assert_eq!(some_share("50%"), Ok(Share::Percent(50)));
        for nobody in ["0", "0%", "00 %"] {
            let fault = some_share(nobody).unwrap_err();
            assert!(fault.what.contains("nobody"), "{fault:?}");
        }
    }

    #[test]
    fn a_share_is_a_number_or_a_percentage() {
        assert_eq!(share("0"), Ok(Share::Count(0)));
        assert_eq!(share(" 1024 "), Ok(Share::Count(1024)));
        assert_eq!(share("25%"), Ok(Share::Percent(25)));
        assert_eq!(share("100 %"), Ok(Share::Percent(100)));
        for (wrong, meant) in [
            ("0.25", Some("25%")),
            ("150%", Some("100%")),
            ("1025", Some("1024")),
            ("-1", None),
            ("-5%", None),
            ("", None),
            ("%", None),
            ("half", None),
        ] {
            let fault = share(wrong).unwrap_err();
            assert_eq!(fault.nearest.as_deref(), meant, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes in 1_u64 << 20..=MOST_BYTES, percent in 0_u8..=100) {
            for limit in [
                WorkerMemory::Bytes(bytes),
                WorkerMemory::Bytes(bytes >> 20 << 20),
                WorkerMemory::Percent(percent.max(1)),
            ] {
                prop_assert_eq!(memory(&show_memory(Some(limit))), Ok(Some(limit)));
            }
            let part = Share::Percent(percent);
            prop_assert_eq!(share(&show_share(part)), Ok(part));
        }

        #[test]
        fn no_words_panic(text in r"\PC*|[0-9.]{0,30} ?[kKMGTiB%]{0,4}") {
            let _ = (memory(&text), share(&text));
        }
    }
}
