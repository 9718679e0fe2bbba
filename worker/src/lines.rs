//! The first lines of the requests that a worker works on, beside their tickets: they are too large
//! to travel with them, and too short-lived for an allocation each.

use std::cell::RefCell;

use brigade_shared::board::RequestLine;

/// A place for each request that is being answered, and those that are free.
#[derive(Default, Debug)]
pub(crate) struct Lines(RefCell<Places>);

#[derive(Default, Debug)]
struct Places {
    lines: Vec<RequestLine>,
    free: Vec<u32>,
}

impl Lines {
    /// Keeps a line. Returns its place.
    pub(crate) fn keep(&self, line: RequestLine) -> u32 {
        let places = &mut *self.0.borrow_mut();
        match places.free.pop() {
            Some(place) => {
                places.lines[place as usize] = line;
                place
            }
            None => {
                places.lines.push(line);
                // A worker has fewer requests than descriptors and streams together.
                (places.lines.len() - 1) as u32
            }
        }
    }

    /// Looks at the line in a place.
    pub(crate) fn look<T>(&self, place: u32, with: impl FnOnce(&RequestLine) -> T) -> T {
        with(&self.0.borrow().lines[place as usize])
    }

    /// The place is free again.
    pub(crate) fn release(&self, place: u32) {
        let places = &mut *self.0.borrow_mut();
        places.free.push(place);
        if places.free.len() == places.lines.len() && places.lines.len() > SPARE {
            *places = Places::default();
        }
    }
}

/// So many places are kept when nothing is being answered.
const SPARE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::{Lines, SPARE};
    use brigade_shared::board::RequestLine;

    #[test]
    fn every_request_has_a_place_of_its_own_and_memory_comes_back_after_a_crowd() {
        let lines = Lines::default();
        let line = |started| RequestLine::new("GET", "/", started);
        let places: Vec<u32> = (0..2000).map(|n| lines.keep(line(n))).collect();
        for (n, place) in (0..).zip(&places) {
            assert_eq!(lines.look(*place, RequestLine::started_ns), n);
        }
        lines.release(places[7]);
        assert_eq!(lines.keep(line(9999)), places[7]);
        for place in places {
            lines.release(place);
        }
        assert!(lines.0.borrow().lines.capacity() < SPARE);
    }
}
