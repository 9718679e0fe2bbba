//! What clients are answered, from a directory in memory or on a disk, and from one far away: every
//! test asks both, and the answers must be the same.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use http::header::HeaderValue;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use crate::body::CHUNK;
use crate::shelf::{Distance, Shelf};
use crate::{FileBody, Files};

/// Sun, 06 Nov 1994 08:49:37 GMT.
const CHANGED: u64 = 784_111_777;
const TAG: &str = "\"2ebc98a1.0-a\"";

struct Place {
    ground: TempDir,
    runtime: Runtime,
    near: Files,
    far: Files,
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found == name)?;
        Some(&found.1)
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

/// Bytes of which no two stretches are alike.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| ((at / 251) ^ at) as u8).collect()
}

fn write(file: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(CHANGED);
    fs::File::open(file).unwrap().set_modified(changed).unwrap();
}

impl Place {
    fn new(set: impl Fn(Files) -> Files) -> Self {
        let ground = tempfile::tempdir().unwrap();
        let public = ground.path().join("public");
        for (name, content) in [
            ("index.html", "the index"),
            ("home.html", "home"),
            ("ten.txt", "0123456789"),
            ("ten.txt.gz", "gzipped"),
            ("ten.txt.br", "brotli"),
            ("empty", ""),
            ("docs/index.html", "the docs"),
            ("bare/file", "x"),
            (".hidden", "hidden"),
            (".git/config", "hidden"),
            (".well-known/security.txt", "known"),
            ("a b/ä.txt", "umlaut"),
        ] {
            write(&public.join(name), content);
        }
        write(&public.join("long"), content(3 * CHUNK + 7));
        write(&ground.path().join("secret"), "secret");
        symlink("../secret", public.join("out")).unwrap();
        symlink("docs", public.join("linked")).unwrap();
        symlink("loop", public.join("loop")).unwrap();
        let shelf = || Shelf::open(&public).unwrap();
        let (near, far) = (shelf(), shelf().at(Distance::Far));
        Self {
            ground,
            runtime: Builder::new_current_thread().build().unwrap(),
            near: set(Files::new(near)),
            far: set(Files::new(far)),
        }
    }

    fn plain() -> Self {
        Self::new(|files| files)
    }

    fn ask(&self, method: &Method, target: &str, headers: &[(&str, &str)]) -> Answer {
        let answer_of = |files: &Files| {
            let mut request = Request::builder().method(method.clone()).uri(target);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(()).unwrap();
            let mut files = files.clone();
            self.runtime
                .block_on(async move { read(files.call(request).await.unwrap()).await })
        };
        let (near, far) = (answer_of(&self.near), answer_of(&self.far));
        assert_eq!(near, far, "{method} {target}, near and far");
        near
    }

    fn get(&self, target: &str) -> Answer {
        self.ask(&Method::GET, target, &[])
    }

    fn get_with(&self, target: &str, name: &str, value: &str) -> Answer {
        self.ask(&Method::GET, target, &[(name, value)])
    }
}

async fn read(response: Response<FileBody>) -> Answer {
    let (head, body) = response.into_parts();
    let promised = body.size_hint().exact();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    assert_eq!(promised, Some(body.len() as u64));
    let words = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), words(value)));
    Answer {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body,
    }
}

#[test]
fn a_file_comes_with_what_is_known_of_it() {
    let place = Place::plain();
    let answer = place.get("/ten.txt?whatever");
    assert_eq!((answer.status, answer.text()), (200, "0123456789"));
    let mut headers = answer.headers.clone();
    headers.sort();
    let wanted = [
        ("accept-ranges", "bytes"),
        ("content-length", "10"),
        ("content-type", "text/plain; charset=utf-8"),
        ("etag", TAG),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ];
    assert_eq!(
        headers,
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(place.get("/long").body, content(3 * CHUNK + 7));
    assert_eq!(place.get("/a%20b/%C3%A4.txt").text(), "umlaut");
    let empty = place.get("/empty");
    assert_eq!(
        (empty.status, empty.header("content-length")),
        (200, Some("0"))
    );
}

#[test]
fn a_head_is_that_of_the_get_without_the_body() {
    let place = Place::plain();
    for target in ["/ten.txt", "/long", "/", "/empty"] {
        let (get, head) = (place.get(target), place.ask(&Method::HEAD, target, &[]));
        assert_eq!(
            (head.status, &head.headers),
            (200, &get.headers),
            "{target}"
        );
        assert_eq!(head.body, b"", "{target}");
    }
    let ranged = place.ask(&Method::HEAD, "/ten.txt", &[("range", "bytes=2-3")]);
    assert_eq!(
        (ranged.status, ranged.header("content-length")),
        (200, Some("10"))
    );
}

#[test]
fn other_methods_are_not_allowed() {
    let place = Place::plain();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = place.ask(&method, "/ten.txt", &[]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
}

#[test]
fn a_directory_is_its_index_and_never_a_list() {
    let place = Place::plain();
    assert_eq!(place.get("/").text(), "the index");
    assert_eq!(place.get("/docs/").text(), "the docs");
    assert_eq!(place.get("/linked/").text(), "the docs");
    for (target, location) in [("/docs", "./docs/"), ("/docs?a=b", "./docs/?a=b")] {
        let answer = place.get(target);
        assert_eq!(
            (answer.status, answer.header("location")),
            (301, Some(location))
        );
    }
    for target in ["/bare", "/bare/", "/ten.txt/", "/index.html/"] {
        assert_eq!(place.get(target).status, 404, "{target}");
    }
    let place = Place::new(|files| files.index("home.html"));
    assert_eq!(place.get("/").text(), "home");
    assert_eq!(
        place.get("/docs").status,
        404,
        "it has no index of this name"
    );
}

#[test]
fn what_is_hidden_outside_or_absent_is_not_found() {
    let place = Place::new(|files| files.precompressed().spa("home.html").unwrap());
    for target in [
        "/.hidden",
        "/.git/config",
        "/%2egit/config",
        "/docs/../ten.txt",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/a%00b",
    ] {
        assert_eq!(place.get(target).status, 404, "{target}");
    }
    let place = Place::plain();
    for target in [
        "/out",
        "/loop",
        "/ten.txt/x",
        "/nothing",
        &format!("/{}", "x".repeat(5000)),
    ] {
        let answer = place.get(target);
        assert_eq!(
            (answer.status, answer.text()),
            (404, "Not Found\n"),
            "{target}"
        );
    }
    assert_eq!(place.get("/.well-known/security.txt").text(), "known");
}

#[test]
fn what_is_no_file_is_not_found_and_not_waited_for() {
    let place = Place::plain();
    let path = place.ground.path().join("public/fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let socket = place.ground.path().join("public/socket");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    assert_eq!(place.get("/fifo").status, 404);
    assert_eq!(place.get("/socket").status, 404);
}

#[test]
fn a_part_is_sent_if_it_is_asked_for() {
    let place = Place::plain();
    for (range, part, said) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-1", "9", "bytes 9-9/10"),
    ] {
        let answer = place.get_with("/ten.txt", "range", range);
        assert_eq!((answer.status, answer.text()), (206, part), "{range}");
        assert_eq!(answer.header("content-range"), Some(said));
        assert_eq!(
            answer.header("content-length"),
            Some(&*part.len().to_string())
        );
    }
    let long = content(3 * CHUNK + 7);
    let (first, last) = (CHUNK - 5, 2 * CHUNK + 5);
    let answer = place.get_with("/long", "range", &format!("bytes={first}-{last}"));
    assert_eq!(
        (answer.status, &answer.body[..]),
        (206, &long[first..=last])
    );
    let beyond = place.get_with("/ten.txt", "range", "bytes=10-");
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some("bytes */10"))
    );
    let several = place.get_with("/ten.txt", "range", "bytes=0-1,4-5");
    assert_eq!((several.status, several.text()), (200, "0123456789"));
    for (named, status) in [(TAG, 206), ("\"other\"", 200)] {
        let headers = [("range", "bytes=2-4"), ("if-range", named)];
        assert_eq!(
            place.ask(&Method::GET, "/ten.txt", &headers).status,
            status,
            "{named}"
        );
    }
}

#[test]
fn a_client_that_has_it_is_told_so() {
    let place = Place::new(|files| files.cache_control(HeaderValue::from_static("max-age=60")));
    let answer = place.get_with("/ten.txt", "if-none-match", TAG);
    assert_eq!((answer.status, answer.text()), (304, ""));
    let header = |name| answer.header(name);
    assert_eq!(
        (header("etag"), header("cache-control")),
        (Some(TAG), Some("max-age=60"))
    );
    assert_eq!(
        (header("content-type"), header("content-length")),
        (None, None)
    );
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(
        place.get_with("/ten.txt", "if-modified-since", date).status,
        304
    );
    assert_eq!(
        place.get_with("/ten.txt", "if-match", "\"other\"").status,
        412
    );
}

#[test]
fn a_variant_is_sent_to_who_takes_it() {
    let place = Place::new(Files::precompressed);
    for (accepted, text, encoding) in [
        ("gzip, br", "brotli", Some("br")),
        ("gzip", "gzipped", Some("gzip")),
        ("zstd", "0123456789", None),
        ("identity", "0123456789", None),
    ] {
        let answer = place.get_with("/ten.txt", "accept-encoding", accepted);
        assert_eq!(
            (answer.text(), answer.header("content-encoding")),
            (text, encoding)
        );
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(
            answer.header("etag") == Some(TAG),
            encoding.is_none(),
            "each has its own"
        );
    }
    let page = place.get_with("/docs/", "accept-encoding", "gzip");
    assert_eq!(
        (page.text(), page.header("vary")),
        ("the docs", Some("accept-encoding"))
    );
    let answer = Place::plain().get_with("/ten.txt", "accept-encoding", "gzip");
    assert_eq!((answer.text(), answer.header("vary")), ("0123456789", None));
}

#[test]
fn the_page_of_an_app_stands_for_what_does_not_exist() {
    let forever = HeaderValue::from_static("max-age=31536000");
    let set = |files: Files| {
        files
            .cache_control(forever.clone())
            .spa("home.html")
            .unwrap()
    };
    let place = Place::new(set);
    for target in ["/users/7", "/users/", "/v1.2/x", "/home.html"] {
        let answer = place.get(target);
        assert_eq!((answer.status, answer.text()), (200, "home"), "{target}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{target}");
    }
    assert_eq!(place.get("/assets/app.1234.js").status, 404);
    assert_eq!(
        place.get("/ten.txt").header("cache-control"),
        Some("max-age=31536000")
    );
    assert_eq!(place.get("/").text(), "the index");
    let files = || crate::files(place.ground.path()).unwrap();
    for page in ["nothing.html", "public", "public/", "../x", ".hidden"] {
        assert!(files().spa(page).is_err(), "{page}");
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_stays_the_one_it_was() {
    let place = Place::plain();
    let path = place.ground.path().join("public/long");
    let mut files = place.near.clone();
    let answer = place.runtime.block_on(async move {
        let request = Request::get("/long").body(()).unwrap();
        let response = files.call(request).await.unwrap();
        fs::rename(path.with_file_name("ten.txt"), &path).unwrap();
        read(response).await
    });
    assert_eq!(answer.body, content(3 * CHUNK + 7));
    assert_eq!(place.get("/long").text(), "0123456789");
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_sent_breaks_off() {
    let place = Place::plain();
    let path = place.ground.path().join("public/long");
    let mut files = place.near.clone();
    let error = place.runtime.block_on(async move {
        let request = Request::get("/long").body(()).unwrap();
        let body = files.call(request).await.unwrap().into_body();
        fs::write(path, "short").unwrap();
        body.collect().await.map(|_| ()).unwrap_err()
    });
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn there_must_be_a_directory() {
    let place = Place::plain();
    for name in ["nothing", "secret"] {
        assert!(
            crate::files(place.ground.path().join(name)).is_err(),
            "{name}"
        );
    }
}
