//! What belongs to one worker and may be named by code that could run anywhere.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

thread_local! {
    static SHELF: RefCell<Vec<Rc<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// A value of one worker that need be neither `Send` nor `Sync`, behind a handle that is both: for
/// frameworks that want their state to be able to move between threads, such as axum, although a
/// worker has only one. No lock, no atomic counter; a handle is a number and copied like one.
///
/// The value lives as long as the worker's thread. Make such values where the app is built, not for
/// each request: none of them is ever dropped before.
///
/// ```
/// use std::cell::Cell;
/// use std::convert::Infallible;
/// use axum::{Router, extract::State, routing::get};
/// use brigade_worker::{App, Context, Local};
///
/// async fn count(State(hits): State<Local<Cell<u64>>>) -> String {
///     let hits = hits.with(|hits| {
///         hits.set(hits.get() + 1);
///         hits.get()
///     });
///     format!("{hits} so far\n")
/// }
///
/// async fn app(_: Context) -> Result<impl App, Infallible> {
///     let hits = Local::new(Cell::new(0));
///     Ok(Router::new().route("/", get(count)).with_state(hits))
/// }
/// ```
pub struct Local<T> {
    place: usize,
    // Like a function from T: the handle holds none.
    of: PhantomData<fn() -> T>,
}

impl<T: 'static> Local<T> {
    /// Gives a value to the worker whose thread this is.
    pub fn new(value: T) -> Self {
        let value: Rc<dyn Any> = Rc::new(value);
        let place = SHELF.with_borrow_mut(|shelf| {
            shelf.push(value);
            shelf.len() - 1
        });
        let of = PhantomData;
        Self { place, of }
    }

    /// Lends the value to a function, which may lend it again.
    ///
    /// # Panics
    /// On another thread than the one that it was made on: in [`offload`](crate::offload) there is
    /// no value.
    pub fn with<R>(&self, function: impl FnOnce(&T) -> R) -> R {
        function(&self.get())
    }

    /// The value, for code that keeps it across an `.await` and has no need to be `Send`.
    ///
    /// # Panics
    /// As [`Self::with`].
    #[must_use]
    pub fn get(&self) -> Rc<T> {
        let found = SHELF.with_borrow(|shelf| shelf.get(self.place).cloned());
        let found = found.and_then(|value| value.downcast().ok());
        found.unwrap_or_else(|| {
            let of = std::any::type_name::<T>();
            panic!("a Local<{of}> belongs to the thread of its worker; this is another one")
        })
    }
}

impl<T> Clone for Local<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Local<T> {}

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Local<{}>", std::any::type_name::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::Local;
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn a_value_that_can_not_be_sent_is_found_by_a_handle_that_can() {
        fn can_be_sent<T: Send + Sync + Copy>(value: T) -> T {
            value
        }
        let first = can_be_sent(Local::new(Rc::new(Cell::new(1))));
        let second = Local::new("another".to_owned());
        first.with(|value| value.set(value.get() + 1));
        assert_eq!(
            first.with(|value| first.with(|again| value.get() * again.get())),
            4
        );
        assert_eq!(*second.get(), "another");
    }

    #[test]
    fn another_thread_does_not_find_it() {
        let ours = Local::new(Cell::new(1));
        let theirs = std::thread::spawn(move || {
            let _other = Local::new("in the same place");
            ours.with(Cell::get)
        });
        let words = theirs.join().unwrap_err();
        let words: &String = words.downcast_ref().unwrap();
        assert!(
            words.contains("belongs to the thread of its worker"),
            "{words}"
        );
    }
}
