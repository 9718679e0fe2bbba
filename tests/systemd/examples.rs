//! The example units, with real programs in the places that they name.

use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Address, Connection, app};

const EVENTS: &str = "log-format = \"json\"\nlog-level = \"debug\"\nreload-probation = \"50ms\"\n";

fn get(path: &str) -> String {
    let address = Address::parse("http://127.0.0.1:8000");
    let answer = Connection::open(&address).and_then(|mut one| one.get(path));
    let answer = answer.unwrap_or_else(|why| panic!("GET {path}: {why:?}"));
    assert_eq!(answer.status, 200);
    answer.text()
}

#[test]
fn any_server_that_inherits_its_socket_runs_under_the_example_unit() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    machine.write(
        "/etc/brigade/exec-example.toml",
        &format!("{EVENTS}workers = 2\n"),
    );
    let program = std::fs::read_to_string(app("plain.py")).unwrap();
    let program = format!("#!/usr/bin/python3\n{program}");
    machine.write_program("/usr/local/bin/example-server", &program);
    let service = Service::of(&machine, "brigade-exec-example.service");
    service.order("start");
    service.wait_for("fleet.ready");
    assert!(get("/").contains("generation 1"));
    let mark = service.mark();
    service.order("reload");
    service.wait_after(mark, "reload.done", |_| true);
    machine.until("the old generation has left", || {
        service.processes().len() == 3
    });
    assert!(get("/").contains("generation 2"));
    let group = machine.path(&format!(
        "/sys/fs/cgroup{}",
        service.property("ControlGroup")
    ));
    service.order("stop");
    assert_eq!(service.property("Result"), "success");
    assert!(service.events("worker.crashed").is_empty());
    assert!(!group.exists());
    assert!(service.events("worker.hidden").is_empty());
}

#[test]
fn a_python_application_runs_under_the_example_unit() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    machine.write(
        "/etc/brigade/python-example.toml",
        &format!("{EVENTS}workers = 2\n"),
    );
    let main = "import os\n\n\
        async def app(scope, receive, send):\n    \
            assert scope['type'] == 'http'\n    \
            words = f'pid {os.getpid()}\\n'.encode()\n    \
            await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n    \
            await send({'type': 'http.response.body', 'body': words})\n";
    machine.write("/srv/example/main.py", main);
    // The machine's own uvicorn stands for the virtual environment.
    let uvicorn = "#!/bin/sh\nexec /usr/bin/python3 -m uvicorn \"$@\"\n";
    machine.write_program("/srv/example/venv/bin/uvicorn", uvicorn);
    let service = Service::of(&machine, "brigade-python-example.service");
    service.order("start");
    service.wait_for("fleet.ready");
    assert!(get("/").starts_with("pid "));
    assert_eq!(service.events("worker.ready").len(), 2);
    service.order("stop");
    assert_eq!(service.property("Result"), "success");
    assert!(service.events("worker.crashed").is_empty());
}

#[test]
fn the_last_words_of_a_program_are_in_the_journal_whole() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    machine.write(
        "/etc/brigade/exec-example.toml",
        "workers = 1\nstart-attempts = 1\n",
    );
    let program =
        "#!/usr/bin/python3\ndef open_shop():\n    raise ValueError('no key')\nopen_shop()\n";
    machine.write_program("/usr/local/bin/example-server", program);
    let service = Service::of(&machine, "brigade-exec-example.service");
    service.try_order("start");
    let mut report = Vec::new();
    machine.until("the crash is told", || {
        let entries = service.journal();
        let text = |entry: &serde_json::Value, field: &str| {
            let text = entry.get(field).and_then(serde_json::Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let all: Vec<_> = entries
            .iter()
            .map(|entry| (text(entry, "PRIORITY"), text(entry, "MESSAGE")))
            .collect();
        let begin = all
            .iter()
            .position(|(_, words)| words.contains("ended with exit code 1"));
        report = begin.map_or_else(Vec::new, |at| all[at..].to_vec());
        report.iter().any(|(_, words)| words.contains("ValueError"))
    });
    for words in [
        "Traceback (most recent call last)",
        "in open_shop",
        "ValueError: no key",
    ] {
        let found = report.iter().find(|(_, text)| text.contains(words));
        let (priority, text) = found.unwrap_or_else(|| panic!("{words}: {report:#?}"));
        assert_eq!(priority, "3", "{text}");
        assert!(text.starts_with("    | "), "{text}");
    }
    service.order("stop");
}
