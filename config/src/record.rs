//! A configuration as words and back: how it travels to a program of another version, which reads
//! the words with its own parsers.

use std::collections::BTreeMap;

use crate::keys::{Key, Meaning, Spelling, key, keys};
use crate::types::Config;
use crate::words::{Fault, bind};

/// The words of every key that has a value, by name; several for a key that lists.
pub type Record = BTreeMap<String, Vec<String>>;

impl Config {
    /// This configuration in words.
    #[must_use]
    pub fn record(&self) -> Record {
        let words = |key: &'static Key| match key.meaning {
            Meaning::Value { show, .. } => show(self).map(|word| vec![word]),
            Meaning::Values { all, .. } => Some(all(self)).filter(|words| !words.is_empty()),
            Meaning::Place(Spelling::Bind) => {
                let binds = self.supervisor.binds.iter();
                Some(binds.map(ToString::to_string).collect())
            }
            Meaning::Place(_) => None,
        };
        keys()
            .filter_map(|key| Some((key.name.to_owned(), words(key)?)))
            .collect()
    }

    /// The configuration that these words record, and what in them could not be understood: keys
    /// of a newer version, and words that the key does not take here. The defaults hold for it.
    #[must_use]
    pub fn recall(record: &Record) -> (Self, Vec<String>) {
        let mut config = Self::default();
        let mut strange = Vec::new();
        for (name, words) in record {
            let understood = match key(name) {
                Some(key) => read(key, words, &mut config).is_ok(),
                None => false,
            };
            if !understood {
                strange.push(format!("{name} = {}", words.join(", ")));
            }
        }
        (config, strange)
    }
}

fn read(key: &Key, words: &[String], config: &mut Config) -> Result<(), Fault> {
    match key.meaning {
        Meaning::Value { set, .. } => words.iter().try_for_each(|word| set(config, word)),
        Meaning::Values { clear, add, .. } => {
            clear(config);
            words.iter().try_for_each(|word| add(config, word))
        }
        Meaning::Place(_) => {
            let binds: Result<Vec<_>, _> = words.iter().map(|word| bind(word)).collect();
            config.supervisor.binds = binds?;
            Ok(())
        }
    }
}
