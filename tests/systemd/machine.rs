//! A machine of its own for each test: a real systemd in namespaces (see `box`), with Brigade
//! installed as an administrator would.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use tempfile::TempDir;

use crate::support::{Need, PATIENCE, copy_program, lacks};

const BOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/systemd/box");

/// The binary under test.
pub(crate) const BRIGADE: &str = env!("CARGO_BIN_EXE_brigade");

/// A booted machine. Dropped, it is gone with everything that ran and was written there.
#[derive(Debug)]
pub(crate) struct Machine {
    dir: TempDir,
    child: Child,
    root: PathBuf,
}

impl Machine {
    /// Boots one with Brigade and its units, and moves this test into its network: what the test
    /// connects to from here on is at home there. None if the test is to be skipped.
    pub(crate) fn boot() -> Option<Self> {
        let machine = Self::boot_without_brigade()?;
        copy_program(Path::new(BRIGADE), &machine.path("/usr/bin/brigade"));
        for unit in fs::read_dir(units()).unwrap() {
            let unit = unit.unwrap();
            let name = unit.file_name();
            let place = machine.path("/etc/systemd/system").join(name);
            fs::copy(unit.path(), place).unwrap();
        }
        fs::create_dir_all(machine.path("/etc/brigade")).unwrap();
        machine.systemctl(&["daemon-reload"]);
        Some(machine)
    }

    /// The same without Brigade.
    pub(crate) fn boot_without_brigade() -> Option<Self> {
        (!lacks(Need::Root)).then(Self::boot_bare)
    }

    fn boot_bare() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("brigade-box-")
            .tempdir()
            .unwrap();
        // What it leads to lasts as long as the thread of this test: see `box`.
        let child = Command::new(BOX)
            .arg("boot")
            .arg(dir.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let ask = |verb: &str| {
            let asked = Command::new(BOX).arg(verb).arg(dir.path()).output();
            let asked = asked.unwrap();
            let told = String::from_utf8_lossy(&asked.stderr);
            assert!(asked.status.success(), "{told}");
            String::from_utf8_lossy(&asked.stdout).trim().to_owned()
        };
        ask("wait");
        let process = format!("/proc/{}", ask("pid"));
        let network = fs::File::open(format!("{process}/ns/net")).unwrap();
        setns(network.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
        let root = format!("{process}/root").into();
        Self { dir, child, root }
    }

    /// Where a path of the machine is found from here.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// Writes a file, readable for all.
    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a program.
    pub(crate) fn write_program(&self, inside: &str, text: &str) {
        self.write(inside, text);
        fs::set_permissions(self.path(inside), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command that will run inside.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BOX);
        command.arg("run").arg(self.dir.path()).arg("--");
        command.args(words).stdin(Stdio::null());
        command
    }

    /// Runs a command inside to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The same; it must succeed. What it has printed.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "{words:?}: {out}{err}");
        out.trim().to_owned()
    }

    /// An order of the administrator, which must succeed.
    pub(crate) fn systemctl(&self, words: &[&str]) {
        self.ask(&[&["systemctl"], words].concat());
    }

    /// Waits until something holds that nobody announces.
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < deadline, "in vain waited until {what}");
            thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new(BOX).arg("down").arg(self.dir.path()).output();
        let _ = self.child.wait();
    }
}

/// The units that the project ships.
pub(crate) fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/systemd")
}

/// What a command has said, on both streams.
pub(crate) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
