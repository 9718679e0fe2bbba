//! Single behaviours of the fleet, each told as a story: what happened, what it ordered. The
//! simulation (fleet_sim.rs) proves that they hold together.

mod stories;
