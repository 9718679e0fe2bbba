//! What a layer says about a key.

use crate::keys::Key;
use crate::problem::Place;

/// From the weakest to the strongest. The environment is three layers: what hosting platforms set
/// (`PORT`), what users of uvicorn set, and Brigade's own variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Layer {
    File,
    Platform,
    Uvicorn,
    Environment,
    Flags,
}

impl Layer {
    /// Whether its values were surely meant for Brigade. Those of others are not looked at unless
    /// they count: `PORT` may have been set for somebody else.
    pub(crate) fn is_ours(self) -> bool {
        !matches!(self, Self::Platform | Self::Uvicorn)
    }
}

/// Some words and where they stand.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// What one layer says about one key.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) key: &'static Key,
    pub(crate) layer: Layer,
    /// One, but any number from one up for a repeatable key.
    pub(crate) words: Vec<Words>,
}

impl Given {
    /// Where it begins.
    pub(crate) fn place(&self) -> &Place {
        &self.words[0].place
    }
}
