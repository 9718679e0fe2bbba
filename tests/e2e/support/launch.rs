//! How a Brigade is started: arguments, environment, inherited descriptors, wrappers.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use super::brigade::Brigade;
use super::keeper;
use super::log::{Log, PATIENCE};
use super::process::Process;

/// The binary under test.
const BRIGADE: &str = env!("CARGO_BIN_EXE_brigade");

/// A Brigade about to start, in a private directory with an environment of its own.
#[derive(Debug)]
pub(crate) struct Launch {
    dir: Arc<TempDir>,
    arguments: Vec<String>,
    wrapper: Vec<String>,
    program: String,
    environment: Vec<(String, String)>,
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

impl Launch {
    /// `arguments` begin with the command. The log is JSON with all details, and without a word
    /// about it a probation is short and the place to listen a free port on 127.0.0.1.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self::with(arguments, &["--port", "0"])
    }

    /// The same, but nobody says where to listen.
    pub(crate) fn anywhere(arguments: &[&str]) -> Self {
        Self::with(arguments, &[])
    }

    fn with(arguments: &[&str], place: &[&str]) -> Self {
        let (command, options) = arguments.split_first().expect("a command");
        let own = options
            .split(|word| *word == "--")
            .next()
            .unwrap_or_default();
        let mut all = vec![(*command).to_owned()];
        let mut unless = |given: &[&str], words: &[&str]| {
            if !own.iter().any(|word| given.contains(word)) {
                all.extend(words.iter().map(|word| (*word).to_owned()));
            }
        };
        if ["serve", "exec", "static"].contains(command) {
            unless(&["--log-format"], &["--log-format", "json"]);
            unless(&["--log-level"], &["--log-level", "debug"]);
            unless(&["--reload-probation"], &["--reload-probation", "50ms"]);
            unless(&["--bind", "--host", "--port", "--uds", "--fd"], place);
        }
        all.extend(options.iter().map(|word| (*word).to_owned()));
        let path = std::env::var("PATH").unwrap_or_default();
        Self {
            dir: Self::directory(),
            arguments: all,
            wrapper: Vec::new(),
            program: BRIGADE.to_owned(),
            environment: vec![
                ("PATH".to_owned(), path),
                ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
            ],
            stdin: None,
            stdout: None,
            stderr: None,
        }
    }

    /// A new private directory.
    pub(super) fn directory() -> Arc<TempDir> {
        let dir = tempfile::Builder::new()
            .prefix("brigade-")
            .tempdir()
            .unwrap();
        // Other users may look into it: workers can run as one.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Arc::new(dir)
    }

    /// In a directory in which others have worked.
    pub(super) fn in_directory(self, dir: Arc<TempDir>) -> Self {
        Self { dir, ..self }
    }

    /// The Brigade inherits these from descriptor 3 on, announced by LISTEN_FDS with their names.
    pub(crate) fn passed(mut self, all: &[(&str, BorrowedFd<'_>)]) -> Self {
        let (stdin, words) = keeper::packed(all);
        self.stdin = Some(stdin);
        self.under(&words.each_ref().map(String::as_str))
    }

    /// The private directory, where the Brigade works.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Puts a file into the private directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.dir().join(name), text).unwrap();
        self
    }

    /// The Brigade is a copy in the private directory, `brigade`, called by this name or path.
    pub(crate) fn copied_as(mut self, name: &str) -> Self {
        copy_program(Path::new(BRIGADE), &self.dir().join("brigade"));
        self.program = name.replace("DIR", &self.dir().display().to_string());
        self
    }

    /// More arguments, at the end.
    pub(crate) fn arguments<S: AsRef<str>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        self.arguments
            .extend(more.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// One more variable of the environment, which is otherwise empty but for the PATH.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A program with arguments that prepares the ground and then becomes the Brigade (`prlimit`).
    pub(crate) fn under(mut self, words: &[&str]) -> Self {
        self.wrapper
            .extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// A line of shell that runs before the Brigade takes the shell's place.
    pub(crate) fn after(self, line: &str) -> Self {
        self.under(&["sh", "-c", &format!("{line}\nexec \"$@\""), "sh"])
    }

    /// The Brigade inherits `fd` as descriptor 3.
    pub(crate) fn inherit(mut self, fd: impl Into<OwnedFd>) -> Self {
        self.stdin = Some(fd.into());
        self.after("exec 3<&0 </dev/null")
    }

    /// The Brigade inherits these as descriptors 3 and 4.
    pub(crate) fn inherit_two(mut self, fds: [OwnedFd; 2]) -> Self {
        let [first, second] = fds;
        self.stdin = Some(first);
        self.stdout = Some(second);
        self.after("exec 3<&0 4>&1 </dev/null >/dev/null")
    }

    /// Standard error goes there instead of into the log that this harness reads.
    pub(crate) fn stderr(mut self, fd: impl Into<OwnedFd>) -> Self {
        self.stderr = Some(fd.into());
        self
    }

    /// Standard output goes there instead of nowhere.
    pub(crate) fn stdout(mut self, fd: impl Into<OwnedFd>) -> Self {
        self.stdout = Some(fd.into());
        self
    }

    fn command(&mut self) -> Command {
        let words: Vec<&str> = self
            .wrapper
            .iter()
            .map(String::as_str)
            .chain([self.program.as_str()])
            .collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(&self.arguments)
            .current_dir(self.dir.path())
            .env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(self.stdin.take().map_or_else(Stdio::null, Stdio::from));
        command
    }

    /// Starts it and returns at once.
    pub(crate) fn start(mut self) -> Brigade {
        // Whoever outlives the Brigade becomes our child, and so comes to light.
        nix::sys::prctl::set_child_subreaper(true).unwrap();
        let mut command = self.command();
        command.stdout(self.stdout.take().map_or_else(Stdio::null, Stdio::from));
        let begin = Instant::now();
        let captured = self.stderr.is_none();
        command.stderr(self.stderr.take().map_or_else(Stdio::piped, Stdio::from));
        let mut child = command.spawn().unwrap();
        drop(command);
        let supervisor = Process(i32::try_from(child.id()).unwrap());
        let stream = child.stderr.take();
        let log = Log::follow(stream, child);
        Brigade::new(self.dir, log, supervisor, begin, captured)
    }

    /// Starts it and waits until all its workers are ready.
    pub(crate) fn ready(self) -> Brigade {
        let brigade = self.start();
        brigade.wait_for("fleet.ready", |_| true);
        brigade
    }

    /// Runs it to its end, which must come soon: what it said, and that it left nothing behind.
    pub(crate) fn run(mut self) -> Output {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let before = entries(self.dir());
        let (told, hear) = mpsc::channel();
        thread::spawn(move || told.send(command.output()));
        let output = hear.recv_timeout(PATIENCE).expect("it ends soon").unwrap();
        assert_eq!(entries(self.dir()), before, "it left something behind");
        let left = super::process::processes_in(self.dir());
        assert_eq!(left, [], "it left processes behind");
        output
    }
}

/// Copies a program, in a process of its own: whatever another thread starts in this moment would
/// have our descriptor for writing, too, and so keep the copy from being executed.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").args([from, to]).status().unwrap();
    assert!(copied.success(), "{} was copied", from.display());
}

/// Runs `brigade` with these arguments in an empty directory to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Launch::new(arguments).run()
}

fn entries(dir: &Path) -> Vec<impl AsRef<OsStr> + PartialEq + std::fmt::Debug + use<>> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}
