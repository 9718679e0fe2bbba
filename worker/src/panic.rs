//! Panics of the app's code: caught, told in words, survived.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the words of panics that [`catch`] will catch; others go where they went before.
pub(crate) fn listen() {
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if CATCHING.get() {
            CAUGHT.replace(describe(info));
        } else {
            before(info);
        }
    }));
}

/// What was said, and where. Without a backtrace: to name its frames takes a loop's turn far too
/// long.
fn describe(info: &PanicHookInfo<'_>) -> String {
    let words = said(info.payload());
    match info.location() {
        Some(place) => format!("{words} ({place})"),
        None => words,
    }
}

fn said(payload: &(dyn Any + Send)) -> String {
    match payload.downcast_ref::<String>() {
        Some(words) => words.clone(),
        None => {
            let words: Option<&&str> = payload.downcast_ref();
            words.copied().unwrap_or("not in words").to_owned()
        }
    }
}

/// Runs code of the app. Its panic comes back as words.
///
/// Whatever the code has half done is dropped by the caller with it, never used again: that is why
/// it may be called unwind safe.
pub(crate) fn catch<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    let outer = CATCHING.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(code));
    CATCHING.set(outer);
    outcome.map_err(|payload| match CAUGHT.take() {
        // Nobody listens: this is no worker, but the test of an app.
        words if words.is_empty() => said(&*payload),
        words => words,
    })
}

#[cfg(test)]
mod tests {
    use super::{catch, listen};

    #[test]
    fn a_panic_comes_back_as_words_with_its_place() {
        listen();
        let words = catch(|| panic!("out of {}", "onions")).unwrap_err();
        assert!(words.starts_with("out of onions ("), "{words}");
        assert!(words.contains("panic.rs:"), "{words}");
        assert_eq!(catch(|| 5), Ok(5));
    }
}
