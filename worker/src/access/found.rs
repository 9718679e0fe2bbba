//! Headers of a request, all that a line tells found in one walk: to look each up is to hash its
//! name, and takes several times as long.

use http::{HeaderMap, HeaderName, HeaderValue};

/// So many names are looked for in the walk.
const AT_ONCE: usize = 6;

/// See the module.
pub(super) struct Found<'a> {
    headers: &'a HeaderMap,
    names: &'a [HeaderName],
    /// The first value of each name.
    values: [Option<&'a HeaderValue>; AT_ONCE],
}

impl<'a> Found<'a> {
    pub(super) fn of(headers: &'a HeaderMap, names: &'a [HeaderName]) -> Self {
        let mut values = [None; AT_ONCE];
        let wanted = &names[..names.len().min(AT_ONCE)];
        if !wanted.is_empty() {
            for (name, value) in headers {
                if let Some(at) = wanted.iter().position(|wanted| wanted == name) {
                    values[at].get_or_insert(value);
                }
            }
        }
        Self {
            headers,
            names,
            values,
        }
    }

    /// The value of the name at this place.
    pub(super) fn get(&self, at: usize) -> Option<&'a [u8]> {
        let value = match self.values.get(at) {
            Some(value) => *value,
            None => self.headers.get(&self.names[at]),
        };
        value.map(HeaderValue::as_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Found;
    use http::{HeaderMap, HeaderName};

    #[test]
    fn the_first_value_of_each_name_is_found_however_many_are_wanted() {
        let name = |text: &str| HeaderName::try_from(text).unwrap();
        let mut headers = HeaderMap::new();
        for text in ["x-b", "host", "x-a", "x-b", "referer", "x-h"] {
            let value = format!("{} of {text}", headers.len());
            headers.append(name(text), value.parse().unwrap());
        }
        for count in 0..10 {
            let wanted = ["x-a", "x-c", "host", "x-b", "x-d", "x-e", "x-f", "referer"];
            let names: Vec<_> = wanted.into_iter().cycle().take(count).map(name).collect();
            let found = Found::of(&headers, &names);
            for (at, name) in names.iter().enumerate() {
                // A name that is there twice in the format has one place in a plan.
                if names[..at].contains(name) {
                    continue;
                }
                let expected = headers.get(name).map(|value| value.as_bytes());
                assert_eq!(found.get(at), expected, "{name} of {count}");
            }
        }
        assert_eq!(headers.get("x-b").unwrap(), "0 of x-b");
    }
}
