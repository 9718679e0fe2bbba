//! The words that `ps` shows for a process.

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

/// The memory of the command line and, behind it, of the environment, which `ps` reads through
/// the kernel. As addresses, since raw pointers can't be kept in a static.
#[derive(Clone, Copy, Debug)]
struct Area {
    start: usize,
    length: usize,
}

static AREA: OnceLock<Option<Area>> = OnceLock::new();

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
}

/// Shows `title` as this process's command line. The first call moves arguments and environment
/// elsewhere, so it must come while the process has one thread; later `std::env` works as before.
/// Does nothing where the kernel does not tell where the command line is.
pub fn set(title: &str) {
    let Some(area) = *AREA.get_or_init(claim) else {
        return;
    };
    let text = &title.as_bytes()[..title.len().min(area.length - 1)];
    // SAFETY: the area lies in this process's initial stack, is writable, and `claim` has moved
    // away everything in it that anybody still reads.
    let memory = unsafe { std::slice::from_raw_parts_mut(area.start as *mut u8, area.length) };
    memory[..text.len()].copy_from_slice(text);
    memory[text.len()..].fill(0);
}

/// Finds the area and makes it ours to overwrite.
fn claim() -> Option<Area> {
    if super::fork::thread_count()? != 1 {
        return None;
    }
    // proc_pid_stat(5): arg_start, arg_end, env_start, env_end are the fields 48 to 51; the second
    // field is the only one that may hold blanks, and it ends with the last ')'.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<usize>().ok();
    let (start, arguments_end) = (field(48)?, field(49)?);
    let (environment_start, end) = (field(50)?, field(51)?);
    if start == 0 || arguments_end != environment_start || end <= start {
        return None;
    }
    move_strings(start, end);
    Some(Area {
        start,
        length: end - start,
    })
}

/// Gives every argument and environment string that lies within the area a new home. The kernel
/// lays out `argv`, NULL, `envp`, NULL side by side (System V ABI), so that `environ` leads to
/// both. The strings are never freed: `std::env` may hand out views of them at any time.
fn move_strings(start: usize, end: usize) {
    // SAFETY: reading the pointer itself; no other thread exists that could change it.
    let first = unsafe { environ };
    if first.is_null() {
        return;
    }
    let within = |pointer: *mut c_char| (start..end).contains(&(pointer as usize));
    let mut entry = first;
    loop {
        // SAFETY: `entry` walks the NULL-terminated array from its first element.
        let string = unsafe { *entry };
        if string.is_null() {
            break;
        }
        if within(string) {
            rehome(entry);
        }
        // SAFETY: not yet at the terminating NULL, so the next element exists.
        entry = unsafe { entry.add(1) };
    }
    // Backwards from `envp`: first the NULL that ends `argv`, then its strings. If somebody has
    // replaced `environ`, what lies before it is not ours; then the environment's own address is
    // not on the initial stack, above which the strings lie, and we leave the arguments alone.
    if !(first as usize <= start && start - (first as usize) < 16 << 20) {
        return;
    }
    // SAFETY: on the initial stack `argv`'s NULL lies right before `envp`.
    let mut entry = unsafe { first.sub(2) };
    loop {
        // SAFETY: `argc` (a small number, never within the area) ends the walk at the latest.
        let string = unsafe { *entry };
        if !within(string) {
            break;
        }
        rehome(entry);
        // SAFETY: as above; `argc` lies before `argv`.
        entry = unsafe { entry.sub(1) };
    }
}

/// Points an array entry to a copy of its string.
fn rehome(entry: *mut *mut c_char) {
    // SAFETY: the caller has read the entry and found a string of the initial stack.
    let string = unsafe { *entry };
    // SAFETY: such strings end with NUL and nobody has overwritten them yet.
    let copy = unsafe { CStr::from_ptr(string) }.to_owned();
    // SAFETY: the arrays on the initial stack are writable, and no other thread reads them.
    unsafe { *entry = copy.into_raw() };
}
