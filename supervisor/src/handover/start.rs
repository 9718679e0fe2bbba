//! How this program is found again: an operator replaces it where it was started from, and not in
//! the directory or the PATH of that later moment.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::document::Start;

/// The file that the kernel runs for this process.
const OWN: &str = "/proc/self/exe";

impl Start {
    /// Of this process, which has just been started.
    pub(super) fn now() -> Self {
        let directory = directory();
        let name = std::env::args_os().next().unwrap_or_default();
        let search = std::env::var_os("PATH").unwrap_or_default();
        let path = find(&name, &directory, &search)
            .filter(|path| same_file(path, Path::new(OWN)))
            .or_else(|| std::fs::read_link(OWN).ok())
            .unwrap_or_else(|| directory.join(name));
        Self {
            path: path.into_os_string(),
            directory: directory.into_os_string(),
        }
    }

    /// The path.
    pub(super) fn path(&self) -> &Path {
        Path::new(&self.path)
    }
}

/// The working directory, as it was entered if that is known: through `/srv/app/current`, not to
/// the release that this leads to today.
fn directory() -> PathBuf {
    let real = std::env::current_dir().unwrap_or_default();
    let entered = std::env::var_os("PWD").map(PathBuf::from);
    let entered = entered.filter(|path| path.is_absolute() && same_file(path, &real));
    entered.unwrap_or(real)
}

/// The absolute path of a program of this name, as a shell would find it.
fn find(name: &OsStr, directory: &Path, search: &OsStr) -> Option<PathBuf> {
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(directory.join(name));
    }
    let candidates = std::env::split_paths(search).map(|folder| directory.join(folder).join(name));
    candidates.into_iter().find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    let found = std::fs::metadata(path);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn same_file(one: &Path, other: &Path) -> bool {
    let identity = |path| std::fs::metadata(path).map(|found| (found.dev(), found.ino()));
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The arguments of this process.
pub(super) fn arguments() -> Vec<CString> {
    std::env::args_os().filter_map(to_c).collect()
}

/// The environment of this process, and one variable more.
pub(super) fn environment(name: &str, value: &str) -> Vec<CString> {
    let line = |(name, value): (OsString, OsString)| {
        let mut line = name;
        line.push("=");
        line.push(value);
        to_c(line)
    };
    let more = (OsString::from(name), OsString::from(value));
    std::env::vars_os().chain([more]).filter_map(line).collect()
}

fn to_c(text: OsString) -> Option<CString> {
    CString::new(text.into_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{find, same_file};
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    #[test]
    fn a_name_is_looked_up_and_a_path_is_made_absolute() {
        let folder = std::env::temp_dir().join(format!("brigade-start-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        let program = folder.join("bin/shop");
        std::fs::write(&program, "").unwrap();
        let look = |name, search| find(OsStr::new(name), &folder, OsStr::new(search));
        assert_eq!(look("./bin/shop", ""), Some(folder.join("./bin/shop")));
        assert_eq!(look("shop", "/nowhere:bin"), None, "it can't be executed");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        assert_eq!(look("shop", "/nowhere:bin"), Some(program.clone()));
        assert!(same_file(&program, &folder.join("bin/../bin/shop")));
        assert!(!same_file(&program, Path::new("/proc/self/exe")));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
