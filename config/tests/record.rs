//! A configuration in words is the same configuration when the words are read again.

#[path = "common/said.rs"]
mod common;

use brigade_config::{Config, keys, sample_file};
use common::{Said, read, with};

fn returns(config: &Config) {
    let record = config.record();
    let (back, strange) = Config::recall(&record);
    assert_eq!(strange, Vec::<String>::new());
    assert_eq!(&back, config, "from {record:?}");
}

#[test]
fn every_key_travels_in_words() {
    returns(&Config::default());
    let lines = sample_file();
    let mut tried = 0;
    for key in keys() {
        let start = format!("#{} = ", key.name);
        let line = lines.lines().find(|line| line.starts_with(&start)).unwrap();
        let text = format!("{}{}", with(key.name), line.trim_start_matches('#'));
        let file = Some(text.as_str());
        returns(
            &read(Said {
                file,
                ..Said::default()
            })
            .unwrap()
            .config,
        );
        tried += 1;
    }
    assert_eq!(tried, keys().count());
}

#[test]
fn odd_values_travel_too() {
    for flags in [
        &[
            "--bind",
            "unix:/tmp/with, comma",
            "--bind",
            "[::1]:80",
            "--bind",
            "unix:@name",
        ][..],
        &[
            "--bind",
            "localhost:8080",
            "--bind",
            "systemd:web",
            "--bind",
            "fd:7",
        ],
        &["--bind", "systemd:"],
        &["--timeout-start", "1h 2m 3s 4ms", "--restart-delay", "15ms"],
        &["--timeout-graceful-shutdown", "2s", "--log-level", "trace"],
        &["--umask", "007", "--ready", "350ms", "--cpu-affinity"],
    ] {
        let loaded = read(Said {
            flags,
            ..Said::default()
        });
        returns(
            &loaded
                .unwrap_or_else(|problems| panic!("{problems}"))
                .config,
        );
    }
}

#[test]
fn words_of_another_version_are_named_and_the_rest_holds() {
    let mut record = Config::default().record();
    record.insert("workers".into(), vec!["7".into()]);
    record.insert("colour".into(), vec!["blue".into()]);
    record.insert("log-level".into(), vec!["deafening".into()]);
    let (config, strange) = Config::recall(&record);
    assert_eq!(strange, ["colour = blue", "log-level = deafening"]);
    assert_eq!(config.record()["workers"], ["7"]);
    assert_eq!(config.log, Config::default().log);
}
