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

/// For a sentinel, which is given no connection: its copy would keep one open for the client whose
/// worker has closed it.
pub(super) fn pack_relief(relieving: &Relieving) -> RelievingState {
    RelievingState {
        relief: relieving.relief().clone(),
        adrift: Vec::new(),
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

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use brigade_shared::id::{SlotId, WorkerId};

    use super::super::luggage::{Packing, Unpacking, make_inheritable};
    use super::{pack, unpack};
    use crate::plan::Relief;
    use crate::relief::{Adrift, Relieving};

    #[test]
    fn what_others_serve_and_who_waits_for_them_goes_along() {
        let (connection, _client) = UnixStream::pair().unwrap();
        let number = connection.as_raw_fd();
        let relief = Relief {
            slots: vec![SlotId(1)],
            shared: true,
            by: vec![WorkerId(3)],
        };
        let from = Some(WorkerId(7));
        let adrift = Adrift {
            connection: connection.into(),
            from,
        };
        let before = Relieving::resume(relief.clone(), [adrift].into());
        let mut packing = Packing::default();
        let state = serde_json::to_value(pack(&before, &mut packing)).unwrap();
        make_inheritable(&packing.numbers()).unwrap();
        let mut copies = Unpacking::rehearsing(&packing.numbers());
        let state = serde_json::from_value(state).unwrap();
        let after = unpack(state, &mut copies).unwrap();
        assert_eq!(after.relief(), &relief);
        let found: Vec<_> = after.adrift().map(|one| one.from).collect();
        assert_eq!(found, [from]);
        assert_eq!(packing.numbers(), [number]);
    }
}
