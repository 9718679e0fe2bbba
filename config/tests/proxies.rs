//! The keys behind a proxy, of headers, and of the access log; and keys with several values.

#[path = "common/said.rs"]
mod common;

use std::path::PathBuf;
use std::time::Duration;

use brigade_config::{
    AccessLog, AccessLogTo, AnswerHeaders, Config, ForwardedFamily, Loaded, Proxy,
};
use common::{Said, effective, read, row, said};

fn loaded(said: Said<'_>) -> Loaded {
    read(said).unwrap_or_else(|problems| panic!("{problems}"))
}

fn believed(said: Said<'_>) -> Vec<String> {
    loaded(said).config.worker.proxy.trusted.words()
}

#[test]
fn proxies_on_this_machine_are_believed_and_nothing_is_logged_by_default() {
    let Config { worker, .. } = Config::default();
    assert!(worker.proxy.headers && worker.proxy.answers.date);
    assert!(!worker.proxy.answers.server && !worker.proxy.request_id);
    assert_eq!(worker.proxy.trusted.words(), ["127.0.0.1", "::1", "unix"]);
    assert_eq!(worker.proxy.root_path, "");
    assert_eq!(worker.access_log.to, None);
    assert_eq!(worker.access_log.format.words, "combined");
    assert!(worker.access_log.format.parts.len() > 10);
}

#[test]
fn every_key_reaches_its_place_and_travels_in_words() {
    let text = "
        proxy-headers = false
        forwarded-allow-ips = ['10.0.0.0/8', 'unix']
        forwarded-header = 'forwarded'
        root-path = '/api/'
        request-id = true
        server-header = true
        date-header = false
        header = ['X-A: b', 'x-c: d, e']
        access-log = '/a.log'
        access-log-format = '{status}'
        access-log-sample = 10
        access-log-slower-than = 1
    ";
    let config = loaded(said(&[], &[], text)).config;
    let Proxy {
        headers,
        trusted,
        family,
        root_path,
        request_id,
        answers,
    } = config.worker.proxy.clone();
    assert!(!headers && request_id);
    assert_eq!(trusted.words(), ["10.0.0.0/8", "unix"]);
    assert_eq!((family, &*root_path), (ForwardedFamily::Forwarded, "/api"));
    let more = [("x-a", "b"), ("x-c", "d, e")].map(|(name, value)| (name.into(), value.into()));
    let expected = AnswerHeaders {
        server: true,
        date: false,
        more: more.to_vec(),
    };
    assert_eq!(answers, expected);
    let AccessLog {
        to,
        format,
        sample,
        slower_than,
    } = config.worker.access_log.clone();
    assert_eq!(to, Some(AccessLogTo::File(PathBuf::from("/a.log"))));
    assert_eq!((&*format.words, format.parts.len()), ("{status}", 1));
    assert_eq!(
        (sample, slower_than),
        (Some(10), Some(Duration::from_secs(1)))
    );
    // As it goes to the next program at an upgrade in place.
    let (recalled, strange) = Config::recall(&config.record());
    assert_eq!((recalled, strange), (config, Vec::new()));
}

#[test]
fn the_strongest_list_replaces_the_weaker_ones() {
    let file = "forwarded-allow-ips = ['10.0.0.0/8', '10.9.0.0/16']";
    assert_eq!(
        believed(said(&[], &[], file)),
        ["10.0.0.0/8", "10.9.0.0/16"]
    );
    let environment = [("FORWARDED_ALLOW_IPS", "192.168.0.1, unix")];
    assert_eq!(
        believed(said(&[], &environment, file)),
        ["192.168.0.1", "unix"]
    );
    let flags = [
        "--forwarded-allow-ips",
        "::1,10.0.0.1",
        "--forwarded-allow-ips=fd00::/8",
    ];
    let all = said(&flags, &environment, file);
    assert_eq!(believed(all), ["::1", "10.0.0.1", "fd00::/8"]);
    assert_eq!(
        effective(all, "forwarded-allow-ips"),
        row("::1, 10.0.0.1, fd00::/8", "flag --forwarded-allow-ips")
    );
}

#[test]
fn a_bad_value_of_a_weaker_list_is_told_too() {
    let file = "forwarded-allow-ips = ['10.0.0.1/8', 'unx']";
    let problems = read(said(&["--forwarded-allow-ips=*"], &[], file)).unwrap_err();
    let told = problems.to_string();
    assert!(
        told.contains("10.0.0.0/8") && told.contains("unix"),
        "{told}"
    );
}

#[test]
fn the_flag_of_the_access_log_may_stand_alone_and_has_a_twin() {
    let to = |flags: &[&str]| {
        loaded(said(flags, &[], "access-log = '/a.log'"))
            .config
            .worker
            .access_log
            .to
    };
    let file = |path: &str| Some(AccessLogTo::File(PathBuf::from(path)));
    assert_eq!(to(&[]), file("/a.log"));
    assert_eq!(to(&["--access-log"]), Some(AccessLogTo::Output));
    assert_eq!(
        to(&["--access-log", "--workers=1"]),
        Some(AccessLogTo::Output)
    );
    assert_eq!(to(&["--access-log=-"]), Some(AccessLogTo::Output));
    assert_eq!(to(&["--access-log", "-"]), Some(AccessLogTo::Output));
    assert_eq!(to(&["--access-log", "/b.log"]), file("/b.log"));
    assert_eq!(to(&["--no-access-log"]), None);
    assert_eq!(to(&["--access-log", "--no-access-log"]), None);
    assert_eq!(
        to(&["--no-access-log", "--access-log"]),
        Some(AccessLogTo::Output)
    );
    let of = |file| loaded(said(&[], &[], file)).config.worker.access_log.to;
    assert_eq!(of("access-log = true"), Some(AccessLogTo::Output));
    assert_eq!(of("access-log = false"), None);
    let uvicorn = [("UVICORN_ACCESS_LOG", "true")];
    let by_uvicorn = loaded(said(&[], &uvicorn, "")).config.worker.access_log.to;
    assert_eq!(by_uvicorn, Some(AccessLogTo::Output));
}

#[test]
fn a_field_that_does_not_exist_is_told_with_the_nearest() {
    let problems = read(said(&["--access-log-format", "{remote} {stauts}"], &[], "")).unwrap_err();
    let told = problems.to_string();
    assert!(
        told.contains("`stauts`") && told.contains("`status`"),
        "{told}"
    );
}

#[test]
fn the_proxy_protocol_is_off_and_then_spoken_by_this_machine_unless_others_are_named() {
    let http = |said| loaded(said).config.worker.http;
    let silent = http(said(&[], &[], ""));
    assert!(!silent.proxy_protocol);
    let own = ["127.0.0.1", "::1", "unix"];
    assert_eq!(silent.proxy_protocol_from.words(), own);
    let named = "proxy-protocol = true\nproxy-protocol-from = ['10.0.0.0/8']";
    let named = http(said(&[], &[], named));
    assert!(named.proxy_protocol);
    assert_eq!(named.proxy_protocol_from.words(), ["10.0.0.0/8"]);
}
