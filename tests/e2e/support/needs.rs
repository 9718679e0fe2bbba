//! What some tests need beyond cargo. A missing need fails the test with a sentence that says what
//! to do, unless `BRIGADE_TESTS_WITHOUT` names it: then the test is skipped, loudly.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// Something that not every machine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// The rights of root: namespaces, other users.
    Root,
    /// Python with uvicorn and FastAPI.
    Python,
    /// Node.js.
    Node,
    /// sslscan, which looks at servers that speak TLS.
    SslScan,
    /// slowhttptest, which attacks servers with slow clients.
    SlowHttpTest,
    /// systemd-socket-activate.
    SocketActivate,
    /// The processor controller of the first version of cgroups, for groups made by hand.
    Quota,
    /// buildah, which builds container images.
    Builder,
    /// The memory controller of the first version of cgroups, for groups made by hand.
    MemoryGroup,
}

impl Need {
    const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Python => "python",
            Self::Node => "node",
            Self::SslScan => "sslscan",
            Self::SlowHttpTest => "slowhttptest",
            Self::SocketActivate => "systemd",
            Self::Quota => "quota",
            Self::Builder => "builder",
            Self::MemoryGroup => "memory-group",
        }
    }

    fn is_met(self) -> bool {
        let answers = |program: PathBuf| {
            let mut command = Command::new(program);
            command
                .arg("--version")
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            command
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        match self {
            Self::Root => nix::unistd::geteuid().is_root(),
            Self::Python => answers(python()),
            Self::Node => answers(node()),
            Self::SslScan => answers("sslscan".into()),
            // It knows no `--version`, and fails to say so.
            Self::SlowHttpTest => Command::new("slowhttptest")
                .arg("-h")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok(),
            Self::SocketActivate => answers("systemd-socket-activate".into()),
            Self::Quota => Path::new("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").exists(),
            Self::Builder => answers("buildah".into()),
            Self::MemoryGroup => Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists(),
        }
    }

    const fn cure(self) -> &'static str {
        match self {
            Self::Root => "run the tests as root",
            Self::Quota => "mount the cpu controller of cgroup v1 at /sys/fs/cgroup/cpu",
            Self::MemoryGroup => {
                "mount the memory controller of cgroup v1 at /sys/fs/cgroup/memory"
            }
            Self::Python
            | Self::Node
            | Self::SslScan
            | Self::SlowHttpTest
            | Self::SocketActivate
            | Self::Builder => "run `tests/needs.sh`",
        }
    }
}

/// Whether the calling test is to be skipped because somebody said that this machine lacks
/// `need`. Panics if it is lacking and nobody said so: nothing is skipped silently.
pub(crate) fn lacks(need: Need) -> bool {
    let without = env::var("BRIGADE_TESTS_WITHOUT").unwrap_or_default();
    if without.split(',').any(|word| word.trim() == need.name()) {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let line = format!("SKIPPED: {test} needs {}", need.name());
        // Not eprintln: the test harness would swallow it.
        io::stderr()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
        if let Some(list) = env::var_os("BRIGADE_SKIPPED") {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(list)
                .unwrap();
            writeln!(file, "{line}").unwrap();
        }
        return true;
    }
    assert!(
        need.is_met(),
        "this test needs {name}: {cure}, or set BRIGADE_TESTS_WITHOUT={name} to skip it loudly",
        name = need.name(),
        cure = need.cure(),
    );
    false
}

fn needs_dir() -> PathBuf {
    let fixed = concat!(env!("CARGO_MANIFEST_DIR"), "/target/needs");
    env::var_os("BRIGADE_NEEDS_DIR").map_or_else(|| fixed.into(), PathBuf::from)
}

/// The Python that tests/needs.sh has furnished with uvicorn and FastAPI.
pub(crate) fn python() -> PathBuf {
    needs_dir().join("venv/bin/python")
}

/// The Node.js of the PATH, or the one that tests/needs.sh has put beside the rest.
pub(crate) fn node() -> PathBuf {
    let own = needs_dir().join("node/bin/node");
    if own.exists() { own } else { "node".into() }
}

/// A fixture program of tests/e2e/apps.
pub(crate) fn app(name: &str) -> String {
    format!("{}/tests/e2e/apps/{name}", env!("CARGO_MANIFEST_DIR"))
}
