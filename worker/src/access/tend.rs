//! The task that hands lines over when no more of them come.

use std::rc::Rc;
use std::time::Duration;

use crate::station::Station;

/// So old a line becomes before it is handed over: short for somebody who looks on, and a timer
/// for hundreds of lines under load.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs as long as the worker. It sleeps without a timer while there is nothing to write.
pub(crate) async fn tend(station: Rc<Station>) {
    loop {
        station.access.begun().await;
        loop {
            tokio::time::sleep(PAUSE).await;
            if !station.access.tend(&station) {
                break;
            }
        }
    }
}
