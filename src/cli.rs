//! The command line: what commands there are. Their options come from the configuration's table.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, value_parser};
use clap_complete::Shell;

use crate::commands;
use crate::version::{LONG, VERSION};

/// The whole command line, under the name that the program was called by.
pub(crate) fn command() -> Command {
    let name = std::env::args_os().next();
    let name = name.as_deref().map(Path::new).and_then(Path::file_name);
    let name = name
        .and_then(|name| name.to_str())
        .unwrap_or("brigade")
        .to_owned();
    Command::new(name)
        .version(VERSION)
        .long_version(LONG)
        .about("Runs a web service on every core and keeps it running")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            serve(),
            exec(),
            files(),
            check(),
            schema(),
            unit(),
            completions(),
            man(),
        ])
}

fn serve() -> Command {
    Command::new("serve")
        .about("Serve the app of this binary")
        .long_about("Serve the app of this binary: one worker per CPU core unless --workers says otherwise, until TERM or INT. HUP reads the configuration again and replaces every worker, TTIN and TTOU add and remove one.")
        .arg(
            Arg::new("app")
                .value_name("APP")
                .help("A Python ASGI app, MODULE:NAME (not part of this version)"),
        )
        .args(brigade_config::arguments())
}

fn exec() -> Command {
    Command::new("exec")
        .about("Run any program as workers; it gets its sockets by the LISTEN_FDS protocol")
        .long_about("Run any program as workers. It finds its listening sockets at descriptor 3 and up (LISTEN_FDS, LISTEN_FDNAMES; sd_listen_fds(3)) and may say READY=1, STOPPING=1, STATUS= and WATCHDOG=1 to NOTIFY_SOCKET (sd_notify(3)). A program that says nothing is ready when it waits for connections. It is asked to leave by TERM, then INT, then KILL.")
        .args(brigade_config::arguments())
        .arg(
            Arg::new("program")
                .value_name("CMD")
                .help("The program and its arguments, after --")
                .value_parser(value_parser!(std::ffi::OsString))
                .num_args(1..)
                .last(true)
                .required(true),
        )
}

fn files() -> Command {
    Command::new("static")
        .about("Serve the files of a directory")
        .long_about("Serve the files of a directory: GET and HEAD, conditional requests, ranges. A directory is answered with its index and never with a list; nothing leads out of DIR, neither .. nor a symbolic link; names that begin with a dot are not found, but for /.well-known/. DIR is opened by each worker: a reload sees the directory that bears the name by then.")
        .arg(
            Arg::new("directory")
                .value_name("DIR")
                .help("The directory")
                .value_parser(value_parser!(PathBuf))
                .required(true),
        )
        .args(file_options())
        .args(brigade_config::arguments())
}

/// How the files of a directory are shown.
fn file_options() -> [Arg; 4] {
    [
            Arg::new("index")
                .long("index")
                .value_name("NAME")
                .value_parser(commands::index)
                .help("The file that stands for its directory [default: index.html]"),
            Arg::new("spa")
                .long("spa")
                .value_name("FILE")
                .help("The page of a single-page app, by its path in DIR: the answer where nothing exists, unless the path's last part has a dot"),
            Arg::new("precompressed")
                .long("precompressed")
                .action(ArgAction::SetTrue)
                .help("Send FILE.br, FILE.zst or FILE.gz, where it lies beside FILE, to clients that take it"),
            Arg::new("cache-control")
                .long("cache-control")
                .value_name("VALUE")
                .value_parser(commands::cache_control)
                .help("The cache-control header of files, for instance 'public, max-age=3600'"),
        ]
}

fn check() -> Command {
    Command::new("check")
        .about("Validate the configuration and print every value with its origin; binds nothing")
        .args(brigade_config::arguments())
        .arg(
            Arg::new("program")
                .value_name("CMD")
                .help("Check it for this program of brigade exec, after --")
                .value_parser(value_parser!(std::ffi::OsString))
                .num_args(1..)
                .last(true),
        )
}

fn unit() -> Command {
    Command::new("unit")
        .about("Print a systemd unit that fits the configuration")
        .long_about("Print a systemd unit that fits the configuration: `brigade unit --config /etc/brigade/shop.toml > /etc/systemd/system/shop.service`. Give it what you would give to serve, to exec with -- and the program, or to static with its directory behind --static. docs/systemd.md explains what it says.")
        .arg(
            Arg::new("socket")
                .long("socket")
                .action(ArgAction::SetTrue)
                .help("Print the socket unit instead, with which systemd holds the addresses"),
        )
        .arg(
            Arg::new("static")
                .long("static")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("program")
                .help("For brigade static: serve the files of this directory"),
        )
        .args(file_options().map(|option| option.requires("static")))
        .args(brigade_config::arguments())
        .arg(
            Arg::new("program")
                .value_name("CMD")
                .help("The program of brigade exec and its arguments, after --")
                .value_parser(value_parser!(std::ffi::OsString))
                .num_args(1..)
                .last(true),
        )
}

fn schema() -> Command {
    Command::new("schema").about("Print the JSON Schema of brigade.toml, for editors")
}

fn completions() -> Command {
    Command::new("completions")
        .about("Print a completion script for a shell")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell)),
        )
}

fn man() -> Command {
    Command::new("man")
        .about("Print the manual page, or that of one command")
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .help("serve, exec, check ..."),
        )
}
