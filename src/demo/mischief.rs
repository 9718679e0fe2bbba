//! Misbehaviour on order, to try what Brigade does about a release that is bad: the demo app reads
//! `brigade-demo.conf` of the working directory whenever a worker starts. So a file that is written
//! before a reload makes a bad generation beside a good one.
//!
//! ```text
//! boot=fail        fail: there is no app; abort; hang: it is never ready
//! boot_ms=8000     only after so long; alone: it is slow to start, no more
//! later=abort      when it has been ready: abort; block: the event loop, for block_ms
//! later_ms=500     so long after it was ready
//! block_ms=60000
//! slot=1           only in this slot
//! ```

use std::fs;
use std::future::pending;
use std::io::ErrorKind;
use std::process::abort;
use std::thread;
use std::time::Duration;

use tokio::time::sleep;

use super::query::Query;

/// Where it is ordered.
const FILE: &str = "brigade-demo.conf";

/// What a worker is to do wrong.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Mischief {
    boot_after: Duration,
    boot: Option<Boot>,
    later_after: Duration,
    later: Option<Later>,
    slot: Option<u16>,
}

/// Instead of becoming ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Boot {
    Fail,
    Abort,
    Hang,
}

/// After it has become ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Later {
    Abort,
    Block(Duration),
}

impl Mischief {
    /// Reads the order; without a file there is none.
    pub(super) fn ordered() -> Result<Self, String> {
        match fs::read_to_string(FILE) {
            Ok(text) => Self::of(&text).map_err(|words| format!("{FILE}: {words}")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{FILE}: {error}")),
        }
    }

    fn of(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.starts_with('#'));
        let joined = lines.collect::<Vec<_>>().join("&");
        let order = Query::new(Some(&joined));
        order.knows(&["boot", "boot_ms", "later", "later_ms", "block_ms", "slot"])?;
        let time = |name, default| {
            let ms = order.number(name, 0..=600_000, default)?;
            Ok::<_, String>(Duration::from_millis(ms.into()))
        };
        let boot = match order.words("boot") {
            None => None,
            Some("fail") => Some(Boot::Fail),
            Some("abort") => Some(Boot::Abort),
            Some("hang") => Some(Boot::Hang),
            Some(other) => Err(format!("boot has to be fail, abort or hang, not {other:?}"))?,
        };
        let later = match order.words("later") {
            None => None,
            Some("abort") => Some(Later::Abort),
            Some("block") => Some(Later::Block(time("block_ms", 60_000)?)),
            Some(other) => Err(format!("later has to be abort or block, not {other:?}"))?,
        };
        let slot = order.words("slot").map(str::parse).transpose();
        Ok(Self {
            boot_after: time("boot_ms", 0)?,
            boot,
            later_after: time("later_ms", 0)?,
            later,
            slot: slot.map_err(|error| format!("slot: {error}"))?,
        })
    }

    /// Whether it is meant for the worker of this slot.
    fn is_for(&self, slot: u16) -> bool {
        self.slot.is_none_or(|meant| meant == slot)
    }

    /// Does what is to be done before the worker of this slot is ready, and sees to the rest.
    pub(super) async fn begin(self, slot: u16) -> Result<(), String> {
        if !self.is_for(slot) {
            return Ok(());
        }
        sleep(self.boot_after).await;
        match self.boot {
            None => {}
            Some(Boot::Fail) => return Err(format!("boot=fail in {FILE}")),
            Some(Boot::Abort) => abort(),
            Some(Boot::Hang) => pending().await,
        }
        if let Some(later) = self.later {
            tokio::task::spawn_local(async move {
                sleep(self.later_after).await;
                match later {
                    Later::Abort => abort(),
                    Later::Block(pause) => thread::sleep(pause),
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Boot, Later, Mischief};
    use std::time::Duration;

    #[test]
    fn an_order_is_read_line_by_line() {
        let order = Mischief::of("# a bad release\nboot=fail\nboot_ms=20\n\n").unwrap();
        assert_eq!(order.boot, Some(Boot::Fail));
        assert_eq!(order.boot_after, Duration::from_millis(20));
        let order = Mischief::of("later=block\nblock_ms=7\nslot=3").unwrap();
        assert_eq!(order.later, Some(Later::Block(Duration::from_millis(7))));
        assert!(order.is_for(3) && !order.is_for(0));
        assert_eq!(Mischief::of(""), Ok(Mischief::default()));
    }

    #[test]
    fn an_order_that_makes_no_sense_is_refused() {
        for bad in [
            "boot=explode",
            "later=fail",
            "boot_ms=soon",
            "root=fail",
            "slot=x",
        ] {
            assert!(Mischief::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_ordered_is_nothing_done() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        let begin = |order: Mischief| runtime.block_on(order.begin(0));
        assert_eq!(begin(Mischief::default()), Ok(()));
        assert_eq!(begin(Mischief::of("boot=hang\nslot=1").unwrap()), Ok(()));
        assert!(begin(Mischief::of("boot=fail").unwrap()).is_err());
    }
}
