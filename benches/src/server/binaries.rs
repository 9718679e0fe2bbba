//! The binaries under measurement: built by cargo beside our own, with the same profile.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::nginx;
use crate::outcome::Outcome;

const CONTENDERS: [&str; 5] = [
    "contender-floor",
    "contender-hyper",
    "contender-axum",
    "contender-actix",
    "contender-brigade",
];

/// Where the binaries are.
pub(crate) struct Binaries {
    directory: PathBuf,
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
        let binaries = Self { directory };
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
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
