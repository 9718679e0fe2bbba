//! The supervisor's pid in a file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::sys::signal::kill;
use nix::unistd::Pid;

/// A pid file that this process wrote.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes it whole or not at all: a reader never finds half a number.
    pub(crate) fn write(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        if let Some(pid) = live_owner(path) {
            return Err(format!(
                "--pid-file {shown} belongs to process {pid}, which is alive: stop it or choose another file"
            ));
        }
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let temporary = folder
            .unwrap_or(Path::new("."))
            .join(format!(".{name}.{}", std::process::id()));
        // A new file, whatever is there: a link must not lead us elsewhere.
        let _ = fs::remove_file(&temporary);
        let written = fs::File::create_new(&temporary)
            .and_then(|mut file| writeln!(file, "{}", std::process::id()))
            .and_then(|()| fs::rename(&temporary, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            format!("--pid-file {shown} can't be written: {error}")
        })?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// The file that another program of this process has written.
    pub(crate) fn adopt(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, unless somebody else has written it since.
    pub(crate) fn remove(self) {
        if read(&self.path).is_ok_and(|pid| pid == Some(Pid::this())) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn read(path: &Path) -> io::Result<Option<Pid>> {
    Ok(fs::read_to_string(path)?
        .trim()
        .parse()
        .ok()
        .map(Pid::from_raw))
}

/// The process named in an existing file, if it lives and is not this one.
fn live_owner(path: &Path) -> Option<Pid> {
    let pid = read(path).ok()??;
    let lives = pid.as_raw() > 0 && kill(pid, None) != Err(nix::errno::Errno::ESRCH);
    (lives && pid != Pid::this()).then_some(pid)
}
