//! Behind a proxy: who is believed, and what the access log and the client see of it.

use crate::support::{Address, Brigade, Connection, Launch};

const FORMAT: &str = "{remote} {scheme} {host}";

/// Starts one that logs whom it believes; asks with these headers; the line.
fn told(arguments: &[&str], headers: &str) -> String {
    let own = [
        "serve",
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--access-log-format",
        FORMAT,
    ];
    let launch = Launch::new(&[&own, arguments].concat());
    let brigade = launch.ready();
    let address = match brigade.addresses().first() {
        Some(address) => address.clone(),
        None => brigade.address(),
    };
    let line = ask(&brigade, &address, headers);
    brigade.stop_and_check();
    line
}

fn ask(brigade: &Brigade, address: &Address, headers: &str) -> String {
    let path = brigade.dir().join("a.log");
    let before = std::fs::read_to_string(&path).unwrap().lines().count();
    let mut connection = Connection::open(address).unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: own.example\r\n{headers}\r\n");
    connection.send(request).unwrap();
    let mut lines = Vec::new();
    brigade.until("the line is there", || {
        let text = std::fs::read_to_string(&path).unwrap();
        lines = text.lines().map(str::to_owned).collect();
        lines.len() > before
    });
    lines.pop().unwrap()
}

const CHAIN: &str = "x-forwarded-for: 1.1.1.1, 203.0.113.9, 10.0.0.2\r\nx-forwarded-proto: https\r\nx-forwarded-host: shop.example\r\nx-forwarded-port: 8443\r\n";

#[test]
fn a_proxy_on_this_machine_is_believed_and_those_that_it_names_only_if_they_are_trusted() {
    let brigade = Brigade::start(&[
        "serve",
        "--workers",
        "1",
        "--access-log",
        "a.log",
        "--access-log-format",
        FORMAT,
    ]);
    let address = brigade.address();
    let asked = |headers: &str| ask(&brigade, &address, headers);
    assert_eq!(asked(""), "127.0.0.1 http own.example");
    assert_eq!(
        asked("x-forwarded-for: 203.0.113.9\r\n"),
        "203.0.113.9 http own.example"
    );
    // 10.0.0.2 is not trusted: it is the client, whatever it says of others.
    assert_eq!(asked(CHAIN), "10.0.0.2 https shop.example:8443");
    let forwarded =
        "forwarded: for=1.1.1.1;proto=http, for=\"[2001:db8::7]:9\";proto=https;host=f.example\r\n";
    assert_eq!(asked(forwarded), "2001:db8::7 https f.example");
    // The family that the proxy writes counts, not what a client has slipped in.
    let both = format!("x-forwarded-for: 203.0.113.9\r\n{forwarded}");
    assert_eq!(asked(&both), "203.0.113.9 http own.example");
    assert_eq!(
        asked("x-forwarded-for: 127.0.0.1\"\r\n"),
        "127.0.0.1 http own.example"
    );
    brigade.stop_and_check();
}

#[test]
fn trust_is_what_the_operator_says() {
    let networks = ["--forwarded-allow-ips", "127.0.0.1,10.0.0.0/8"];
    assert_eq!(
        told(&networks, CHAIN),
        "203.0.113.9 https shop.example:8443"
    );
    assert_eq!(
        told(&["--forwarded-allow-ips", "*"], CHAIN),
        "1.1.1.1 https shop.example:8443"
    );
    assert_eq!(
        told(&["--forwarded-allow-ips", "10.0.0.0/8"], CHAIN),
        "127.0.0.1 http own.example"
    );
    assert_eq!(
        told(&["--no-proxy-headers"], CHAIN),
        "127.0.0.1 http own.example"
    );
    let family = ["--forwarded-header", "forwarded"];
    assert_eq!(told(&family, CHAIN), "127.0.0.1 http own.example");
}

#[test]
fn a_proxy_at_a_unix_socket_is_believed_by_default() {
    let line = told(
        &["--bind", "unix:a.sock"],
        "x-forwarded-for: 203.0.113.9\r\n",
    );
    assert_eq!(line, "203.0.113.9 http own.example");
    let line = told(
        &["--bind", "unix:a.sock", "--forwarded-allow-ips", "::1"],
        CHAIN,
    );
    assert_eq!(line, "unix http own.example");
}

#[test]
fn ids_and_headers_are_added_to_answers() {
    let headers = [
        "--header",
        "x-frame-options: DENY",
        "--server-header",
        "--no-date-header",
        "--request-id",
    ];
    let launch = Launch::new(&["serve", "--workers", "1"]).arguments(headers);
    let brigade = launch.ready();
    let answer = brigade.get("/");
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(
        (answer.header("server"), answer.header("date")),
        (Some("brigade"), None)
    );
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(id.len(), 32);
    // The app sees the id as well, and every request has its own.
    let seen = brigade.get("/headers");
    let other = seen.header("x-request-id").unwrap();
    assert!(
        other != id && seen.text().contains(other),
        "{}",
        seen.text()
    );
    brigade.stop_and_check();
    let plain = Brigade::start(&["serve", "--workers", "1"]);
    let answer = plain.get("/");
    assert_eq!(answer.header("server"), None);
    assert!(answer.header("date").is_some() && answer.header("x-request-id").is_none());
    plain.stop_and_check();
}

#[test]
fn an_app_is_told_under_which_path_it_is_shown_and_by_whom_only_a_proxy_may_say_so() {
    let mounted = ["serve", "--workers", "1", "--root-path", "/shop"];
    let told = |brigade: &Brigade, headers: &str| {
        let mut connection = brigade.connect();
        let request = format!("GET /peer HTTP/1.1\r\nhost: own.example\r\n{headers}\r\n");
        connection.send(request).unwrap();
        let text = connection.receive().unwrap().text();
        let path = text
            .lines()
            .find_map(|line| line.strip_prefix("root path "));
        path.map(str::to_owned).unwrap_or_else(|| panic!("{text}"))
    };
    let brigade = Brigade::start(&mounted);
    assert_eq!(told(&brigade, ""), "/shop");
    let prefix = "x-forwarded-prefix: /api/\r\n";
    assert_eq!(told(&brigade, prefix), "/api");
    // A link that leads to another host is no path.
    assert_eq!(
        told(&brigade, "x-forwarded-prefix: //evil.example\r\n"),
        "/shop"
    );
    // The path of the request is the app's own.
    assert_eq!(brigade.get("/shop/peer").status, 404);
    brigade.stop_and_check();
    let nobody = ["--forwarded-allow-ips", "192.0.2.1"];
    let brigade = Brigade::start(&[&mounted[..], &nobody].concat());
    assert_eq!(told(&brigade, prefix), "/shop");
    brigade.stop_and_check();
}
