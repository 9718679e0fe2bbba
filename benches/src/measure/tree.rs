//! A process's descendants.

use std::fs;

use nix::unistd::Pid;

use crate::outcome::Outcome;

/// The process and its living descendants, parents first.
pub(crate) fn family(root: Pid) -> Outcome<Vec<Pid>> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let born = children(found[next])?;
        found.extend(born);
        next += 1;
    }
    Ok(found)
}

/// The process's living children. One that ends meanwhile may be missing.
pub(crate) fn children(parent: Pid) -> Outcome<Vec<Pid>> {
    let mut born = Vec::new();
    for thread in fs::read_dir(format!("/proc/{parent}/task"))? {
        let list = fs::read_to_string(thread?.path().join("children"))?;
        for pid in list.split_ascii_whitespace() {
            born.push(Pid::from_raw(pid.parse()?));
        }
    }
    Ok(born)
}
