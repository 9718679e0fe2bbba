//! Whole numbers, and words built of them: counts, ports, masks, intensities; accounts and paths.

use std::path::PathBuf;

use super::duration::{deadline, show_duration};
use super::fault::{Fault, quoted};
use super::nearest::nearest;
use super::size::{OFF, is_off};
use crate::types::{MAX_WORKERS, RestartIntensity, WorkerCount};

/// A whole number from `least` to `most`; `of` says of what, in the plural.
pub(crate) fn whole<T>(text: &str, least: u32, most: u32, of: &str) -> Result<T, Fault>
where
    T: TryFrom<u32>,
{
    let word = text.trim();
    let cure = format!("write a whole number from {least} to {most}");
    let Ok(number) = word.parse::<i128>() else {
        return Err(Fault::new(
            format!("{} is not a whole number", quoted(word)),
            cure,
        ));
    };
    let number = u32::try_from(number)
        .ok()
        .filter(|number| (least..=most).contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| Fault::new(format!("{} is out of range for {of}", quoted(word)), cure))
}

/// A TCP port, 0 included: the kernel then picks one.
pub(crate) fn port(text: &str) -> Result<u16, Fault> {
    whole(text, 0, u16::MAX.into(), "ports")
}

/// A number that limits, from 1 to `most`, or `off` (0).
pub(crate) fn limit(text: &str, most: u32, of: &str) -> Result<Option<u64>, Fault> {
    let word = text.trim();
    if is_off(word) {
        return Ok(None);
    }
    whole(word, 1, most, of).map(Some).map_err(|mut fault| {
        fault.cure = format!("{}, or `{OFF}`", fault.cure);
        fault.meaning(nearest(word, [OFF]))
    })
}

/// The words for a limit.
pub(crate) fn show_limit(limit: Option<u64>) -> String {
    limit.map_or_else(|| OFF.to_owned(), |most| most.to_string())
}

/// `auto`, 1 to [`MAX_WORKERS`], or a range in these bounds.
pub(crate) fn workers(text: &str) -> Result<WorkerCount, Fault> {
    let word = text.trim();
    let cure = format!(
        "write `auto` for as many as there are usable CPUs, 1 to {MAX_WORKERS}, or a range \
         (`2..8`) to follow the load"
    );
    if word == "auto" {
        return Ok(WorkerCount::Auto);
    }
    if let Some((least, most)) = range(word) {
        return between(word, least, most);
    }
    let Ok(number) = word.parse::<i128>() else {
        let what = format!("{} is not a number of workers", quoted(word));
        return Err(Fault::new(what, cure).meaning(nearest(word, ["auto"])));
    };
    match u16::try_from(number) {
        Ok(0) => Err(Fault::new("with 0 workers nobody would serve", cure)),
        Ok(count) if count <= MAX_WORKERS => Ok(WorkerCount::Fixed(count)),
        _ if number < 0 => Err(Fault::new(
            format!("{number} workers cannot be started"),
            cure,
        )),
        _ => Err(Fault::new(
            format!("{} workers are more than one supervisor runs", quoted(word)),
            cure,
        )),
    }
}

/// The words for a number of workers.
pub(crate) fn show_workers(count: WorkerCount) -> String {
    match count {
        WorkerCount::Auto => "auto".to_owned(),
        WorkerCount::Fixed(count) => count.to_string(),
        WorkerCount::Between(least, most) => format!("{least}..{most}"),
    }
}

/// The two sides of what was meant as a range, however it is written.
fn range(word: &str) -> Option<(&str, &str)> {
    let (least, rest) = word.split_at(word.find(|c: char| !c.is_ascii_digit())?);
    let most = rest.trim_start_matches(['.', '=', '-', ':', '/', ',', ' ']);
    let between = &rest[..rest.len() - most.len()];
    let is_dotted = between.trim().starts_with("..");
    let is_number = |side: &str| !side.is_empty() && side.bytes().all(|b| b.is_ascii_digit());
    // `1.5` and `1,000` are numbers, if not of workers.
    let is_range = !matches!(between, "." | ",");
    (is_dotted || (is_number(least) && is_number(most) && is_range)).then_some((least, most))
}

/// `MIN..MAX`, both at least 1 and the first not above the second.
fn between(word: &str, least: &str, most: &str) -> Result<WorkerCount, Fault> {
    let cure =
        format!("write the least and the most workers, `MIN..MAX`, both from 1 to {MAX_WORKERS}");
    let fault = |what: &str| Fault::new(format!("{} {what}", quoted(word)), cure.clone());
    let (Ok(low), Ok(high)) = (least.parse::<u128>(), most.parse::<u128>()) else {
        return Err(fault("is a range without one of its ends"));
    };
    let cut = |number: u128| {
        let number = number.clamp(1, MAX_WORKERS.into());
        u16::try_from(number).unwrap_or(MAX_WORKERS)
    };
    let nearest = (cut(low.min(high)), cut(low.max(high)));
    let (least, most) = nearest;
    let what = match (low, high) {
        _ if low > high => "is a range from more to less",
        (0, _) => "is a range that begins where nobody would serve",
        _ if high > MAX_WORKERS.into() => "is a range to more workers than one supervisor runs",
        _ if word.replace(' ', "") != format!("{low}..{high}") => "is not how a range is written",
        _ => return Ok(WorkerCount::Between(least, most)),
    };
    Err(fault(what).meaning(Some(&format!("{least}..{most}"))))
}

/// A file mode creation mask in octal: `022`, `0o077`.
pub(crate) fn mask(text: &str) -> Result<u32, Fault> {
    let word = text.trim();
    let digits = word.strip_prefix("0o").unwrap_or(word);
    match u32::from_str_radix(digits, 8) {
        Ok(mask) if mask <= 0o777 && !digits.starts_with('+') => Ok(mask),
        _ => Err(Fault::new(
            format!("{} is not a file mode mask", quoted(word)),
            "write octal digits from `000` to `777`, for example `027`",
        )),
    }
}

/// `CRASHES/PERIOD`, or `off`.
pub(crate) fn intensity(text: &str) -> Result<Option<RestartIntensity>, Fault> {
    const MOST: u32 = 10_000;
    let word = text.trim();
    if word == "off" {
        return Ok(None);
    }
    let Some((crashes, period)) = word.split_once('/') else {
        return Err(Fault::new(
            format!("{} is not a limit on crashes", quoted(word)),
            "write crashes and a period (`5/10s`), or `off`",
        )
        .meaning(nearest(word, ["off"])));
    };
    let crashes = whole(crashes, 0, MOST, "crashes")?;
    Ok(Some(RestartIntensity {
        crashes,
        period: deadline(period)?,
    }))
}

/// The words for an intensity.
pub(crate) fn show_intensity(intensity: Option<RestartIntensity>) -> String {
    intensity.map_or_else(
        || "off".to_owned(),
        |limit| format!("{}/{}", limit.crashes, show_duration(limit.period)),
    )
}

/// The name or number of a user or group. Whether it exists is asked when it is needed.
pub(crate) fn account(text: &str) -> Result<String, Fault> {
    let word = text.trim();
    let wrong = |c: char| c.is_whitespace() || c.is_control() || c == ':' || c == '/';
    if word.is_empty() || word.starts_with('-') || word.contains(wrong) {
        return Err(Fault::new(
            format!("{} is not the name of an account", quoted(word)),
            "write a name (`www-data`) or a number (`33`)",
        ));
    }
    Ok(word.to_owned())
}

/// A path of a file.
pub(crate) fn path(text: &str) -> Result<PathBuf, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new("a path is missing", "write the path of a file"));
    }
    if text.contains('\0') {
        return Err(Fault::new(
            "a path cannot hold a NUL character",
            "write the path of a file without it",
        ));
    }
    if text.ends_with('/') {
        return Err(Fault::new(
            format!("{} names a directory", quoted(text)),
            "write the path of a file in it",
        ));
    }
    Ok(PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{intensity, limit, mask, path, port, show_intensity, workers};
    use crate::types::{RestartIntensity, WorkerCount};

    #[test]
    fn workers_are_auto_or_a_number() {
        assert_eq!(workers("auto"), Ok(WorkerCount::Auto));
        assert_eq!(workers(" 4\r"), Ok(WorkerCount::Fixed(4)));
        assert_eq!(workers("1024"), Ok(WorkerCount::Fixed(1024)));
        for wrong in [
            "0",
            "-3",
            "1025",
            "99999999999999999999999",
            "1.5",
            "four",
            "",
            "1,000",
        ] {
            assert!(workers(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn workers_may_be_a_range_and_other_ways_to_write_one_are_corrected() {
        assert_eq!(workers("2..8"), Ok(WorkerCount::Between(2, 8)));
        assert_eq!(workers(" 2 .. 8 "), Ok(WorkerCount::Between(2, 8)));
        assert_eq!(workers("2..2"), Ok(WorkerCount::Between(2, 2)));
        assert_eq!(workers("1..1024"), Ok(WorkerCount::Between(1, 1024)));
        for (wrong, meant) in [
            ("8..2", Some("2..8")),
            ("0..4", Some("1..4")),
            ("4..0", Some("1..4")),
            ("0..0", Some("1..1")),
            ("2..5000", Some("2..1024")),
            ("2..=8", Some("2..8")),
            ("2...8", Some("2..8")),
            ("2-8", Some("2..8")),
            ("2:8", Some("2..8")),
            ("2..", None),
            ("..8", None),
            ("..", None),
            ("2..x", None),
            ("-2..8", None),
        ] {
            let fault = workers(wrong).unwrap_err();
            assert_eq!(fault.nearest.as_deref(), meant, "{wrong}: {fault:?}");
        }
    }

    #[test]
    fn a_limit_is_a_number_or_off() {
        assert_eq!(limit("off", 9, "requests"), Ok(None));
        assert_eq!(limit("0", 9, "requests"), Ok(None));
        assert_eq!(limit(" 9", 9, "requests"), Ok(Some(9)));
        for wrong in ["10", "-1", "", "of", "1.5"] {
            let fault = limit(wrong, 9, "requests").unwrap_err();
            assert!(fault.cure.ends_with("or `off`"), "{fault:?}");
        }
    }

    #[test]
    fn a_mask_is_octal() {
        assert_eq!(mask("022"), Ok(0o22));
        assert_eq!(mask("0o077"), Ok(0o77));
        for wrong in ["8", "1000", "-22", "+22", "", "u=rwx"] {
            assert!(mask(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_intensity_is_crashes_in_a_period() {
        let limit = RestartIntensity {
            crashes: 5,
            period: Duration::from_secs(10),
        };
        assert_eq!(intensity("5/10s"), Ok(Some(limit)));
        assert_eq!(intensity("off"), Ok(None));
        assert_eq!(show_intensity(Some(limit)), "5/10s");
        for wrong in ["5", "5/0", "/10s", "-1/10s", "99999/1s", "5/10s/1"] {
            assert!(intensity(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(text in r"\PC*|[0-9./]*") {
            let _ = (workers(&text), mask(&text), intensity(&text), path(&text), port(&text));
        }
    }
}
