//! One word of a few.

use super::duration::{deadline, show_duration};
use super::fault::{Fault, quoted};
use super::nearest::nearest;
use crate::types::{
    Balance, ClientCertificates, ForwardedFamily, HttpVersions, LogFormat, LogLevel, Readiness,
    TlsVersion,
};

/// A type whose values have names. Where two names mean one value, the later is shown.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// What is said of a word that is none of them: `is ...`.
    const OTHERWISE: &'static str;
    /// Every name, in the order of the help.
    const ALL: &'static [(&'static str, Self)];
}

impl Choice for LogLevel {
    const OTHERWISE: &'static str = "not a level of the log";
    const ALL: &'static [(&'static str, Self)] = &[
        ("critical", Self::Error),
        ("error", Self::Error),
        ("warning", Self::Warning),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

impl Choice for LogFormat {
    const OTHERWISE: &'static str = "not a form of the log";
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("human", Self::Human),
        ("json", Self::Json),
        ("journal", Self::Journal),
    ];
}

impl Choice for Balance {
    const OTHERWISE: &'static str = "not a way to share connections";
    const ALL: &'static [(&'static str, Self)] =
        &[("slots", Self::Slots), ("shared", Self::Shared)];
}

impl Choice for ClientCertificates {
    const OTHERWISE: &'static str = "not a rule for clients' certificates";
    const ALL: &'static [(&'static str, Self)] = &[
        // Python's numbers, which uvicorn takes.
        ("0", Self::None),
        ("1", Self::Optional),
        ("2", Self::Required),
        ("none", Self::None),
        ("optional", Self::Optional),
        ("required", Self::Required),
    ];
}

impl Choice for TlsVersion {
    const OTHERWISE: &'static str = "not a version of TLS that is spoken";
    const ALL: &'static [(&'static str, Self)] = &[("1.2", Self::Tls12), ("1.3", Self::Tls13)];
}

impl Choice for HttpVersions {
    const OTHERWISE: &'static str = "not a version of HTTP that is spoken here";
    const ALL: &'static [(&'static str, Self)] =
        &[("both", Self::Both), ("1", Self::Http1), ("2", Self::Http2)];
}

impl Choice for ForwardedFamily {
    const OTHERWISE: &'static str = "not a family of forwarded headers";
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("x-forwarded", Self::XForwarded),
        ("forwarded", Self::Forwarded),
    ];
}

impl Choice for bool {
    const OTHERWISE: &'static str = "neither yes nor no";
    const ALL: &'static [(&'static str, Self)] = &[
        ("1", true),
        ("yes", true),
        ("on", true),
        ("true", true),
        ("0", false),
        ("no", false),
        ("off", false),
        ("false", false),
    ];
}

/// The value of this name, in whichever case.
pub(crate) fn choice<T: Choice>(text: &str) -> Result<T, Fault> {
    let word = text.trim();
    if let Some((_, value)) = T::ALL
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
    {
        return Ok(*value);
    }
    let all: Vec<String> = names::<T>()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    Err(Fault::new(
        format!("{} is {}", quoted(word), T::OTHERWISE),
        format!("write one of {}", all.join(", ")),
    )
    .meaning(nearest(word, names::<T>())))
}

/// The name of this value.
pub(crate) fn name_of<T: Choice>(value: T) -> &'static str {
    T::ALL
        .iter()
        .rfind(|(_, candidate)| *candidate == value)
        .map_or("", |(name, _)| name)
}

/// Every name, in the order of the help.
pub(crate) fn names<T: Choice>() -> Vec<&'static str> {
    T::ALL.iter().map(|(name, _)| *name).collect()
}

/// The words of [`Readiness`] beside a duration.
pub(crate) const READINESS: &[&str] = &["auto", "notify"];

/// `auto`, `notify` or a duration.
pub(crate) fn readiness(text: &str) -> Result<Readiness, Fault> {
    match text.trim() {
        "auto" => Ok(Readiness::Auto),
        "notify" => Ok(Readiness::Notify),
        // A word that starts with a digit or a sign was meant as a duration.
        word if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            deadline(word).map(Readiness::Alive)
        }
        word => Err(Fault::new(
            format!("{} is not a way to become ready", quoted(word)),
            "write `auto`, `notify` or how long a program must have been alive (`2s`)",
        )
        .meaning(nearest(word, READINESS.iter().copied()))),
    }
}

/// The words for a [`Readiness`].
pub(crate) fn show_readiness(ready: Readiness) -> String {
    match ready {
        Readiness::Auto => "auto".to_owned(),
        Readiness::Notify => "notify".to_owned(),
        Readiness::Alive(time) => show_duration(time),
    }
}

#[cfg(test)]
mod tests {
    use super::{choice, name_of, readiness};
    use crate::types::{LogLevel, Readiness};
    use std::time::Duration;

    #[test]
    fn levels_have_the_names_of_uvicorn() {
        assert_eq!(choice("critical"), Ok(LogLevel::Error));
        assert_eq!(choice("WARNING"), Ok(LogLevel::Warning));
        assert_eq!(name_of(LogLevel::Error), "error");
        let fault = choice::<LogLevel>("warn").unwrap_err();
        assert_eq!(fault.nearest.as_deref(), Some("warning"));
    }

    #[test]
    fn readiness_is_a_word_or_a_time() {
        assert_eq!(readiness("notify"), Ok(Readiness::Notify));
        assert_eq!(
            readiness("1.5"),
            Ok(Readiness::Alive(Duration::from_millis(1500)))
        );
        assert!(readiness("0").is_err());
        assert_eq!(
            readiness("notifi").unwrap_err().nearest.as_deref(),
            Some("notify")
        );
    }
}
