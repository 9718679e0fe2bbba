//! What others serve, and the connections between two workers, in the document.

use std::os::fd::OwnedFd;

use brigade_shared::id::WorkerId;
use serde::{Deserialize, Serialize};

use super::luggage::{Carried, Packing, Unpacking};
use crate::plan::Relief;
use crate::relief::{Adrift, Relieving};

/// Who is relieved, and what nobody has taken yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RelievingState {
    relief: Relief,
    adrift: Vec<AdriftState>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct AdriftState {
    connection: Carried,
    from: Option<WorkerId>,
}

pub(super) fn pack(relieving: &Relieving, packing: &mut Packing) -> RelievingState {
    let mut adrift = |one: &Adrift| AdriftState {
        connection: packing.pack(&one.connection),
        from: one.from,
    };
    RelievingState {
        relief: relieving.relief().clone(),
        adrift: relieving.adrift().map(&mut adrift).collect(),
    }
}

pub(super) fn unpack(state: RelievingState, luggage: &mut Unpacking) -> Result<Relieving, String> {
    let adrift = state.adrift.into_iter().map(|one| {
        let connection: OwnedFd = luggage.unpack(one.connection)?;
        let from = one.from;
        Ok(Adrift { connection, from })
    });
    let adrift = adrift.collect::<Result<_, String>>()?;
    Ok(Relieving::resume(state.relief, adrift))
}
