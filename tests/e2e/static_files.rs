//! `brigade static`: the files of a directory, as clients and an operator see them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::sys::signal::Signal;

use crate::support::{Brigade, Launch, Load, Need, lacks};

/// More than goes through a socket's buffers at once.
const LONG: usize = 9 << 20;

fn write(directory: &Path, name: &str, content: impl AsRef<[u8]>) {
    let file = directory.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

fn content() -> Vec<u8> {
    (0..LONG).map(|at| ((at / 251) ^ at) as u8).collect()
}

/// A Brigade about to serve `public` of its directory.
fn of_public(options: &[&str]) -> Launch {
    let launch = Launch::new(&[&["static"], options, &["public"]].concat());
    let public = launch.dir().join("public");
    write(&public, "index.html", "the index");
    write(&public, "docs/index.html", "the docs");
    write(&public, "app.js", "0123456789");
    write(&public, "app.js.gz", "gzipped");
    write(&public, ".git/config", "hidden");
    write(launch.dir(), "secret", "secret");
    symlink("../secret", public.join("out")).unwrap();
    launch
}

/// The status and the body of the answer to a GET with these header lines.
fn ask(brigade: &Brigade, target: &str, lines: &str) -> (u16, String) {
    let mut connection = brigade.connect();
    let request = format!("GET {target} HTTP/1.1\r\nhost: test\r\n{lines}\r\n");
    connection.send(request).unwrap();
    let answer = connection.receive().unwrap();
    (answer.status, answer.text())
}

#[test]
fn files_are_served_and_nothing_else() {
    let brigade = of_public(&["--workers", "2"]).ready();
    let status = |target: &str| ask(&brigade, target, "").0;
    assert_eq!(ask(&brigade, "/", ""), (200, "the index".to_owned()));
    assert_eq!(ask(&brigade, "/docs/", ""), (200, "the docs".to_owned()));
    assert_eq!(status("/docs"), 301);
    for target in [
        "/../secret",
        "/%2e%2e/secret",
        "/docs/..%2f..%2fsecret",
        "/out",
        "/.git/config",
        "/%2Egit/config",
        "/nothing",
        "/app.js%00",
    ] {
        assert_eq!(status(target), 404, "{target}");
    }
    let part = ask(&brigade, "/app.js", "range: bytes=2-4\r\n");
    assert_eq!(part, (206, "234".to_owned()));
    let answer = brigade.get("/app.js");
    let tag = answer.header("etag").unwrap();
    let again = ask(&brigade, "/app.js", &format!("if-none-match: {tag}\r\n"));
    assert_eq!(again, (304, String::new()));
    let mut connection = brigade.connect();
    assert_eq!(connection.post("/app.js", b"x").unwrap().status, 405);
    // After the body was refused, too, the connection or the next one goes on.
    assert_eq!(status("/app.js"), 200);
    brigade.stop_and_check();
}

#[test]
fn flags_say_how_files_are_served() {
    let options = [
        "--spa",
        "index.html",
        "--precompressed",
        "--cache-control",
        "max-age=60",
    ];
    let brigade = of_public(&options).ready();
    let answer = brigade.get("/app.js");
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    assert_eq!(answer.header("vary"), Some("accept-encoding"));
    let packed = ask(&brigade, "/app.js", "accept-encoding: gzip\r\n");
    assert_eq!(packed, (200, "gzipped".to_owned()));
    let page = brigade.get("/users/7");
    assert_eq!((page.status, page.text()), (200, "the index".to_owned()));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    brigade.stop_and_check();
    let brigade = of_public(&["--index", "app.js"]).ready();
    assert_eq!(brigade.get("/").text(), "0123456789");
    brigade.stop_and_check();
}

#[test]
fn long_files_come_whole_and_are_finished_by_a_stop() {
    let launch = of_public(&["--workers", "1"]);
    write(&launch.dir().join("public"), "long", content());
    let brigade = launch.ready();
    assert!(brigade.get("/long").body == content(), "every byte of it");
    let mut slow = brigade.connect();
    slow.send("GET /long HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let head = slow.receive_head().unwrap();
    brigade.signal_heard(Signal::SIGTERM);
    brigade.wait_for("worker.draining", |_| true);
    assert!(
        slow.receive_body(&head).unwrap() == content(),
        "every byte of it"
    );
    brigade.ended(0);
}

#[test]
fn a_reload_sees_the_directory_that_bears_the_name_by_then() {
    let launch = Launch::new(&["static", "--workers", "2", "current"]);
    for generation in [1, 2] {
        let release = launch.dir().join(format!("release-{generation}"));
        let words = format!("slot 0, pid 1, generation {generation}");
        write(&release, "index.html", words);
    }
    let current = launch.dir().join("current");
    symlink("release-1", &current).unwrap();
    let brigade = launch.ready();
    let load = Load::connections(&brigade, 4).path("/").start();
    let next = current.with_file_name("next");
    symlink("release-2", &next).unwrap();
    fs::rename(&next, &current).unwrap();
    brigade.reload();
    load.flow(100);
    let account = load.stop();
    account.assert_lost_none();
    let seen: Vec<_> = account.generations.into_iter().collect();
    assert_eq!(seen, [1, 2]);
    assert_eq!(brigade.get("/").number("generation"), Some(2));
    brigade.stop_and_check();
}

#[test]
fn a_directory_that_is_removed_is_told_of_and_hup_finds_the_next_one() {
    let launch = Launch::new(&["static", "--workers", "1", "public"]);
    let public = launch.dir().join("public");
    write(&public, "index.html", "slot 0, pid 1, generation 1");
    let brigade = launch.ready();
    assert_eq!(brigade.get("/").status, 200);
    fs::remove_dir_all(&public).unwrap();
    write(&public, "index.html", "slot 0, pid 1, generation 2");
    assert_eq!(brigade.get("/").status, 404);
    brigade.expect("files.gone");
    let gone = brigade.wait_for("files.gone", |_| true);
    assert_eq!(gone.text("directory"), "public");
    brigade.reload();
    assert_eq!(brigade.get("/").number("generation"), Some(2));
    brigade.stop_and_check();
}

#[test]
fn a_file_that_workers_may_not_read_is_not_found_and_told_of() {
    if lacks(Need::Root) {
        return;
    }
    let launch = of_public(&["--workers", "1", "--user", "nobody"]);
    let locked = launch.dir().join("public/app.js");
    fs::set_permissions(locked, Permissions::from_mode(0o600)).unwrap();
    let brigade = launch.ready();
    assert_eq!(brigade.get("/").status, 200);
    assert_eq!(brigade.get("/app.js").status, 404);
    brigade.expect("files.unreadable");
    let told = brigade.wait_for("files.unreadable", |_| true);
    assert_eq!(told.text("path"), "\"/app.js\"");
    brigade.stop_and_check();
}

#[test]
fn what_cannot_be_served_is_told_before_anything_is_bound() {
    for (options, words) in [
        (
            &["public/app.js"][..],
            "cannot serve the files of public/app.js: ",
        ),
        (&["nowhere"], "cannot serve the files of nowhere: "),
        (&["public", "--spa", "none.html"], "none.html: no such file"),
        (&["public", "--spa", "../secret"], "not a path"),
        (&["public", "--index", "a/b"], "without a slash"),
        (&["public", "--cache-control", "a\nb"], "visible characters"),
        (&[], "<DIR>"),
    ] {
        let launch = Launch::new(&["static"]).arguments(options);
        write(&launch.dir().join("public"), "app.js", "x");
        let output = launch.run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(words), "{options:?}: {said}");
    }
}
