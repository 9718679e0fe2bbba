//! Why some words are no value.

/// What is wrong with some words, and the way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// What is wrong: a clause without a full stop.
    pub(crate) what: String,
    /// The nearest valid word, if one is near.
    pub(crate) nearest: Option<String>,
    /// What to do instead.
    pub(crate) cure: String,
}

impl Fault {
    /// A fault with its cure.
    pub(crate) fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            nearest: None,
            cure: cure.into(),
        }
    }

    /// The same, with a guess at what was meant.
    pub(crate) fn meaning(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(str::to_owned);
        self
    }
}

/// The words in back quotes, cut to a readable length.
pub(crate) fn quoted(words: &str) -> String {
    const MOST: usize = 60;
    if words.is_empty() {
        return "an empty text".to_owned();
    }
    match words.char_indices().nth(MOST) {
        None => format!("`{words}`"),
        Some((end, _)) => format!("`{}…`", &words[..end]),
    }
}
