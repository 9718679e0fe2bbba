//! The binaries under measurement: built by cargo beside our own, with the same profile.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::nginx;
use crate::outcome::Outcome;

const CONTENDERS: [&str; 9] = [
    "contender-floor",
    "contender-hyper",
    "contender-axum",
    "contender-actix",
    "contender-brigade",
    "contender-many",
    "works-axum",
    "works-actix",
    "works-brigade",
];

/// Where the binaries are, and how they are run.
pub(crate) struct Binaries {
    directory: PathBuf,
    /// Where callgrind leaves its counts, if they are run under it.
    counted_in: Option<PathBuf>,
}

impl Binaries {
    /// Beside our own binary. With `build` they are brought up to date first, by two calls of
    /// cargo: one call would give Brigade the features of its peers.
    pub(crate) fn prepare(build: bool) -> Outcome<Self> {
        nginx::find()?;
        let own = std::env::current_exe()?;
        let directory = own
            .parent()
            .ok_or("our own binary has no directory")?
            .to_owned();
        let binaries = Self {
            directory,
            counted_in: None,
        };
        if build {
            let bins = CONTENDERS.map(|name| ["--bin", name]).concat();
            binaries.cargo_build(&[&["-p", "brigade-benches"], &bins[..]].concat())?;
            binaries.cargo_build(&["-p", "brigade", "--bin", "brigade"])?;
        }
        for name in CONTENDERS.iter().chain(&["brigade"]) {
            let path = binaries.path(name);
            if !path.exists() {
                return Err(
                    format!("{} is missing: run without --no-build", path.display()).into(),
                );
            }
        }
        Ok(binaries)
    }

    /// The same, run under callgrind, which counts instructions and leaves a file per process in
    /// this directory.
    pub(crate) fn counted(&self, directory: &Path) -> Self {
        Self {
            directory: self.directory.clone(),
            counted_in: Some(directory.to_owned()),
        }
    }

    /// To run one of ours.
    pub(super) fn command(&self, name: &str) -> Command {
        self.foreign_command(self.path(name))
    }

    /// To run a program that is not ours.
    pub(super) fn foreign_command(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(directory) = &self.counted_in else {
            return Command::new(program);
        };
        let mut command = Command::new("valgrind");
        // No option names the files: Brigade's workers write their title over the words from
        // which valgrind would read it.
        command.args([
            "-q",
            "--vgdb=no",
            "--tool=callgrind",
            "--trace-children=yes",
        ]);
        command.arg(program).current_dir(directory);
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Whether these are binaries that are worth measuring.
    pub(crate) fn optimised(&self) -> bool {
        self.directory
            .file_name()
            .is_some_and(|name| name == "release")
    }

    fn cargo_build(&self, what: &[&str]) -> Outcome<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = self.directory.parent().unwrap_or(Path::new("target"));
        let mut command = Command::new(cargo);
        command
            .arg("build")
            .args(what)
            .arg("--target-dir")
            .arg(target);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        if self.optimised() {
            command.arg("--release");
        }
        if command.status()?.success() {
            Ok(())
        } else {
            Err("cargo build failed".into())
        }
    }
}
