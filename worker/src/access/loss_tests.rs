//! Lines that could not be written: counted, told, and never held without bound. And what becomes of
//! lines when the file changes.

use std::fs::File;
use std::io::{PipeReader, Read};
use std::os::fd::OwnedFd;
use std::time::Duration;

use brigade_config::{AccessLog, WorkerConfig};
use brigade_shared::append;
use brigade_shared::board::Counter;
use http::{HeaderMap, Request};

use super::log::Access;
use super::tests::config;
use crate::heard::Heard;
use crate::rig::Rig;

const PATIENCE: Duration = Duration::from_secs(30);
/// What a pipe holds, unless somebody changes it.
const PIPE: usize = 64 << 10;

/// Writes down requests that took so long, in nanoseconds.
fn write_down(access: &Access, rig: &Rig, count: usize, took_ns: u64) {
    let request = Request::new(());
    let peer = rig.peer("192.0.2.9:4711");
    for _ in 0..count {
        if let Some(sheet) = access.begin(&rig.station, &request, &peer, 1000) {
            access.end(sheet, rig.station.meter.row, 1000 + took_ns);
        }
    }
}

fn lost(rig: &Rig) -> u64 {
    rig.row().counts.get(Counter::AccessLogLost)
}

/// An access log whose lines have a thousand bytes, into a pipe.
fn thousands() -> (AccessLog, PipeReader, File) {
    let words = format!("{{status}}{}", "x".repeat(996));
    let (_folder, config) = config(&[("access-log-format", &words)]);
    let (reader, pipe) = std::io::pipe().unwrap();
    (config.access_log, reader, File::from(OwnedFd::from(pipe)))
}

fn read_lines(mut reader: PipeReader) -> u64 {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(text.lines().all(|line| line.len() == 999), "whole lines");
    text.lines().count() as u64
}

#[test]
fn what_nobody_takes_is_held_as_far_as_there_is_room_and_then_counted() {
    Rig::paused(async |rig| {
        let (config, reader, pipe) = thousands();
        let access = Access::new(&config, Some(pipe), 0, 1).unwrap();
        // Four batches wait for the thread, beside what the loop still holds.
        write_down(&access, &rig, 480, 0);
        assert_eq!(lost(&rig), 0);
        write_down(&access, &rig, 3520, 0);
        // One more batch is in the hands of the thread, and the pipe is full. While the thread is late
        // batches become larger.
        let most = (PIPE + 6 * (257 << 10)) as u64 / 1000;
        assert!(lost(&rig) >= 4000 - most, "{}", lost(&rig));
        access.finish(&rig.station, Duration::from_millis(20));
        // Nobody has read: only what fits into the pipe may have been written.
        assert!(lost(&rig) >= 4000 - (PIPE / 1000) as u64, "{}", lost(&rig));
        // What the thread still wrote when nobody waited any more counts twice.
        let written = read_lines(reader);
        let all = lost(&rig) + written;
        assert!(all >= 4000 && all <= 4000 + most, "{written} of {all}");
    });
}

#[test]
fn what_was_held_is_written_in_the_end_if_somebody_reads() {
    Rig::paused(async |rig| {
        let (config, reader, pipe) = thousands();
        let access = Access::new(&config, Some(pipe), 0, 1).unwrap();
        write_down(&access, &rig, 450, 0);
        let reading = std::thread::spawn(move || read_lines(reader));
        access.finish(&rig.station, PATIENCE);
        drop(access);
        assert_eq!((reading.join().unwrap(), lost(&rig)), (450, 0));
    });
}

#[test]
fn a_request_is_slow_if_it_took_longer_than_the_limit() {
    let (folder, config) = config(&[
        ("access-log-format", "{duration}"),
        ("access-log-slower-than", "1s"),
    ]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let second = 1_000_000_000;
        write_down(&rig.station.access, &rig, 1, second - 1);
        write_down(&rig.station.access, &rig, 1, second);
        write_down(&rig.station.access, &rig, 1, second + 1000);
        rig.station.access.finish(&rig.station, PATIENCE);
        let lines = std::fs::read_to_string(folder.path().join("a.log")).unwrap();
        assert_eq!(lines, "1.000001\n");
    });
}

/// A worker whose log has no file.
fn without_file(keys: &[(&str, &str)], test: impl AsyncFnOnce(Rig)) {
    let (folder, config): (_, WorkerConfig) = config(keys);
    Rig::paused(async |rig| {
        std::fs::create_dir(folder.path().join("a.log")).unwrap();
        test(rig.with(config)).await;
    });
}

/// How many lines each of these events tells of.
fn lines_told(heard: &Heard) -> Vec<u64> {
    let number = |words: String| {
        let lines = words
            .split(' ')
            .find_map(|word| word.strip_prefix("lines="));
        lines.unwrap().parse().unwrap()
    };
    let events = heard.take("access_log.lost");
    events.into_iter().map(number).collect()
}

#[test]
fn losses_are_told_at_once_and_then_in_sum_every_ten_seconds() {
    without_file(&[("access-log-format", "{status}")], async |rig| {
        let heard = Heard::begin();
        let access = &rig.station.access;
        // The writer is a thread of its own; the clock stands still meanwhile.
        let lose = async |count: usize| {
            let before = lost(&rig);
            write_down(access, &rig, count, 0);
            while lost(&rig) < before + count as u64 {
                access.tend(&rig.station);
                tokio::task::yield_now().await;
            }
        };
        lose(2).await;
        assert_eq!(lines_told(&heard), [2]);
        lose(3).await;
        lose(4).await;
        tokio::time::advance(Duration::from_millis(9_900)).await;
        // Nobody asks for anything any more, and it is looked after all the same.
        assert!(access.tend(&rig.station));
        assert_eq!(lines_told(&heard), [0; 0], "not again so soon");
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(!access.tend(&rig.station));
        assert_eq!(lines_told(&heard), [7]);
    });
}

#[test]
fn what_is_lost_in_the_end_is_counted_and_told_before_the_worker_leaves() {
    without_file(&[("access-log-format", "{status}")], async |rig| {
        let heard = Heard::begin();
        write_down(&rig.station.access, &rig, 3, 0);
        rig.station.access.tend(&rig.station);
        write_down(&rig.station.access, &rig, 4, 0);
        rig.station.access.finish(&rig.station, PATIENCE);
        assert_eq!(lost(&rig), 7);
        let told = lines_told(&heard);
        assert_eq!(told.iter().sum::<u64>(), 7, "{told:?}");
    });
}

#[test]
fn at_the_order_to_open_again_every_line_stays_in_the_file_of_its_time() {
    let (folder, config) = config(&[("access-log-format", "{duration}")]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let path = |name: &str| folder.path().join(name);
        let access = &rig.station.access;
        write_down(access, &rig, 1, 1_000_000_000);
        // Nobody has handed over the line yet. The file came with the order, as it does where the
        // worker may not open it itself.
        let file = append::open(&path("c.log")).unwrap();
        rig.station.reopen(Some(OwnedFd::from(file)));
        write_down(access, &rig, 1, 2_000_000_000);
        access.finish(&rig.station, PATIENCE);
        let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
        assert_eq!(
            (&*read("a.log"), &*read("c.log")),
            ("1.000000\n", "2.000000\n")
        );
    });
}

#[test]
fn a_sheet_that_is_used_again_knows_nothing_of_the_request_before() {
    let format = "{status} {ttfb} {bytes} {end} {response:x-a}";
    let (folder, config) = config(&[("access-log-format", format)]);
    Rig::paused(async |rig| {
        let rig = rig.with(config);
        let (station, access) = (&rig.station, &rig.station.access);
        let (request, peer) = (Request::new(()), rig.peer("192.0.2.9:4711"));
        let begin = || access.begin(station, &request, &peer, 1000).unwrap();
        for length in [Some(0), Some(7), None] {
            let mut sheet = begin();
            let (mut head, ()) = http::Response::new(()).into_parts();
            head.headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-a"),
                http::HeaderValue::from_static("b"),
            )]);
            access.answered(&mut sheet, &head, length, station);
            sheet.sent(7);
            sheet.completed();
            access.end(sheet, station.meter.row, 2000);
            // Who left at once.
            access.end(begin(), station.meter.row, 2000);
        }
        access.finish(station, PATIENCE);
        let lines = std::fs::read_to_string(folder.path().join("a.log")).unwrap();
        for (number, line) in lines.lines().enumerate() {
            if number % 2 == 1 {
                assert_eq!(line, "499 - 0 aborted -", "{lines}");
            } else {
                assert!(
                    line.starts_with("200 ")
                        && !line.contains(" - ")
                        && line.ends_with(" 7 complete b"),
                    "{lines}"
                );
            }
        }
        assert_eq!(lines.lines().count(), 6);
    });
}
