//! Parameters of a request, and sentences for those who got them wrong.

use std::fmt;
use std::ops::RangeInclusive;

/// The query of a path, as pairs of name and value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    /// Splits `a=1&b=2`. A name without a value has an empty one.
    pub(super) fn new(text: Option<&'a str>) -> Self {
        let pairs = text
            .unwrap_or("")
            .split('&')
            .filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.collect())
    }

    /// Refuses a parameter that is none of these.
    pub(super) fn knows(&self, names: &[&str]) -> Result<(), String> {
        let unknown = self.0.iter().find(|(name, _)| !names.contains(name));
        match unknown {
            None => Ok(()),
            Some((name, _)) if names.is_empty() => Err(format!(
                "there is no parameter {name:?} here, nor any other"
            )),
            Some((name, _)) => Err(format!(
                "there is no parameter {name:?} here, only {}",
                names.join(", ")
            )),
        }
    }

    /// The words of a parameter.
    pub(super) fn words(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| *value)
    }

    /// A whole number within `range`; `default` if it is not there.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, String> {
        match self.words(name) {
            None => Ok(default),
            Some(words) => whole_number(name, range, words),
        }
    }

    /// A whole number within `range` that has to be there.
    pub(super) fn needed_number(
        &self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Result<u32, String> {
        match self.words(name) {
            None => Err(format!("{name} is missing: {}", Rule(name, &range))),
            Some(words) => whole_number(name, range, words),
        }
    }
}

fn whole_number(name: &str, range: RangeInclusive<u32>, words: &str) -> Result<u32, String> {
    let number = words.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("{}, not {words:?}", Rule(name, &range)))
}

/// What is allowed.
struct Rule<'a>(&'a str, &'a RangeInclusive<u32>);

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, range) = self;
        let (first, last) = (range.start(), range.end());
        write!(f, "{name} has to be a whole number from {first} to {last}")
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn numbers_are_read_or_refused_with_a_sentence() {
        let query = Query::new(Some("n=7&m=-1&x=&big=99999999999"));
        assert_eq!(query.number("n", 0..=10, 1), Ok(7));
        assert_eq!(query.number("absent", 0..=10, 1), Ok(1));
        let refused = |name| query.number(name, 0..=10, 1).unwrap_err();
        assert_eq!(
            refused("m"),
            "m has to be a whole number from 0 to 10, not \"-1\""
        );
        assert_eq!(
            refused("x"),
            "x has to be a whole number from 0 to 10, not \"\""
        );
        assert!(refused("big").ends_with("not \"99999999999\""));
        assert_eq!(
            query.needed_number("absent", 0..=10).unwrap_err(),
            "absent is missing: absent has to be a whole number from 0 to 10"
        );
    }

    #[test]
    fn unknown_parameters_are_named_beside_the_known_ones() {
        let query = Query::new(Some("ms=1&sm=2"));
        assert_eq!(query.knows(&["ms", "sm"]), Ok(()));
        let refused = query.knows(&["ms"]).unwrap_err();
        assert_eq!(refused, "there is no parameter \"sm\" here, only ms");
        assert!(query.knows(&[]).unwrap_err().ends_with("nor any other"));
        assert_eq!(Query::new(None).knows(&[]), Ok(()));
    }
}
