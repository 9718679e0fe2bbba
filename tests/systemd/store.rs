//! The fd store: sockets outlive their supervisor, and nobody who connects meanwhile is refused.

use crate::knock::Knocking;
use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Account, Address, Connection, Load, Running, Trouble};

const PLACES: &str = "bind = [\"127.0.0.1:8000\", \"unix:/run/brigade/shop/a.sock\"]\n";

fn begin<'a>(machine: &'a Machine, config: &str) -> Service<'a> {
    Service::serving(machine, &format!("{PLACES}{config}"))
}

/// One at every address.
fn knock(shop: &Service<'_>) -> Vec<Knocking> {
    shop.addresses().into_iter().map(Knocking::at).collect()
}

/// Clients of both kinds at every address.
fn crowd(shop: &Service<'_>) -> Vec<Running> {
    let kinds = |address: Address| {
        [
            Load::keep_alive_at(address.clone(), 3).start(),
            Load::keep_alive_at(address, 3).anew().start(),
        ]
    };
    shop.addresses().into_iter().flat_map(kinds).collect()
}

fn flow(crowd: &[Running]) {
    crowd.iter().for_each(|load| load.flow(50));
}

fn sum(crowd: Vec<Running>) -> Account {
    let mut sum = Account::default();
    crowd.into_iter().for_each(|load| sum.add(load.stop()));
    sum
}

fn stored(shop: &Service<'_>) -> usize {
    shop.property("NFileDescriptorStore").parse().unwrap()
}

#[test]
fn restarts_lose_nobody() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    // A socket for each worker, the Unix socket, the scoreboard.
    machine.until("everything is stored", || stored(&shop) == 4);
    let crowd = crowd(&shop);
    let mut pids = vec![shop.main_pid()];
    for _ in 0..2 {
        let knocking = knock(&shop);
        shop.order("restart");
        flow(&crowd);
        knocking.into_iter().for_each(Knocking::assert_lost_none);
        pids.push(shop.main_pid());
    }
    pids.dedup();
    assert_eq!(pids.len(), 3);
    sum(crowd).assert_lost_none();
    assert_eq!(stored(&shop), 4);
    shop.order("stop");
    assert_eq!(stored(&shop), 0);
    assert!(!machine.path("/run/private/brigade/shop").exists());
}

/// The sum of a counter over all its labels, as scraped.
fn counter(admin: &Address, name: &str) -> f64 {
    let answer = Connection::open(admin).and_then(|mut one| one.get("/metrics"));
    let text = answer.unwrap().text();
    let of_name = |line: &&str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    text.lines().filter(of_name).map(value).sum()
}

#[test]
fn counters_go_on_after_restarts_and_deaths() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\nadmin = \"127.0.0.1:9000\"\n");
    let address = shop.addresses().remove(0);
    let admin = Address::parse("http://127.0.0.1:9000");
    let served = || counter(&admin, "brigade_requests_total");
    let mut asked = 0.0;
    for how in ["restart", "KILL", "restart"] {
        for _ in 0..10 {
            let answer = Connection::open(&address).unwrap().get("/");
            assert_eq!(answer.unwrap().status, 200);
            asked += 1.0;
        }
        machine.until("all of them are counted", || served() >= asked);
        if how == "KILL" {
            shop.signal("KILL");
            shop.until_property("NRestarts", "1");
            shop.until_property("ActiveState", "active");
        } else {
            shop.order(how);
        }
        machine.until("the metrics are there", || Connection::open(&admin).is_ok());
        assert!(served() >= asked, "{} of {asked}", served());
    }
    shop.order("stop");
}

#[test]
fn the_death_of_the_supervisor_loses_nobody() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    let crowd = crowd(&shop);
    for number in 1..=2 {
        let knocking = knock(&shop);
        shop.signal("KILL");
        shop.until_property("NRestarts", &number.to_string());
        shop.until_property("ActiveState", "active");
        flow(&crowd);
        knocking.into_iter().for_each(Knocking::assert_lost_none);
    }
    sum(crowd).assert_lost_none();
    shop.order("stop");
}

#[test]
fn with_kill_mode_process_new_clients_do_not_wait_for_old_requests() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    shop.edit("process", "[Service]\nKillMode=process\n");
    let address = shop.addresses().remove(0);
    let mut slow = Connection::open(&address).unwrap();
    let old = slow.get("/").unwrap().number("pid");
    slow.send("GET /sleep?ms=6000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    shop.signal("KILL");
    shop.until_property("NRestarts", "1");
    shop.until_property("ActiveState", "active");
    assert_eq!(shop.processes().len(), 4, "the old worker is still at it");
    for _ in 0..4 {
        let answer = Connection::open(&address).unwrap().get("/").unwrap();
        assert_ne!(answer.number("pid"), old);
    }
    assert_eq!(slow.receive().expect("it is finished").status, 200);
    machine.until("the old worker leaves", || shop.processes().len() == 3);
    shop.order("stop");
}

#[test]
fn when_all_are_killed_at_once_only_what_was_in_flight_is_lost() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    let crowd = crowd(&shop);
    let clients = 12;
    // As the kernel does when the whole group is out of memory.
    let words = [
        "systemctl",
        "kill",
        "--kill-whom=all",
        "--signal=KILL",
        &shop.unit,
    ];
    machine.ask(&words);
    shop.until_property("NRestarts", "1");
    shop.until_property("ActiveState", "active");
    flow(&crowd);
    let sum = sum(crowd);
    let refused = |trouble: &Trouble| matches!(trouble, Trouble::Refused | Trouble::NoFile);
    let losses = &sum.losses;
    assert!(
        !losses.iter().any(|loss| refused(&loss.trouble)),
        "{losses:#?}"
    );
    assert!(losses.len() <= clients, "one of each: {losses:#?}");
    shop.order("stop");
}

#[test]
fn what_was_changed_meanwhile_holds_after_a_restart() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    let tcp = shop.addresses().remove(0);
    let load = Load::keep_alive_at(tcp.clone(), 3).anew().start();
    for (workers, count) in [(4, 6), (1, 3), (3, 5)] {
        shop.configure(&format!("{PLACES}workers = {workers}\n"));
        shop.order("restart");
        load.flow(50);
        machine.until("so many workers are there", || {
            shop.processes().len() == workers + 1
        });
        machine.until("the store has what is needed", || stored(&shop) == count);
    }
    // Another address instead of the socket: what is not wanted any more is let go.
    shop.configure("bind = [\"127.0.0.1:8000\", \"127.0.0.1:8001\"]\nworkers = 2\n");
    shop.order("restart");
    load.flow(50);
    machine.until("the store has what is needed", || stored(&shop) == 5);
    let unix = machine.path("/run/private/brigade/shop/a.sock");
    machine.until("nobody listens there", || {
        Connection::open(&Address::Unix(unix.clone())).is_err()
    });
    let other = Address::parse("http://127.0.0.1:8001");
    assert_eq!(
        Connection::open(&other).unwrap().get("/").unwrap().status,
        200
    );
    load.stop().assert_lost_none();
    shop.order("stop");
}

#[test]
fn a_bad_configuration_at_a_restart_does_not_lose_the_store() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    shop.edit("preserve", "[Service]\nFileDescriptorStorePreserve=yes\n");
    machine.until("everything is stored", || stored(&shop) == 4);
    let tcp = shop.addresses().remove(0);
    shop.configure(&format!("{PLACES}workers = 0\n"));
    shop.try_order("restart");
    shop.until_property("ActiveState", "failed");
    assert_eq!(stored(&shop), 4);
    // Who comes now waits until somebody has repaired it.
    let mut early = Connection::open(&tcp).unwrap();
    early.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    shop.configure(&format!("{PLACES}workers = 2\n"));
    shop.order("start");
    assert_eq!(early.receive().unwrap().status, 200);
    shop.order("stop");
}

#[test]
fn with_a_store_that_is_kept_clients_wait_over_stop_and_start() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    // systemd forgets a stopped unit with its store, unless something wants it.
    machine.systemctl(&["enable", &shop.unit]);
    let preserve = "[Service]\nFileDescriptorStorePreserve=yes\n";
    shop.edit("preserve", preserve);
    let tcp = shop.addresses().remove(0);
    let load = Load::keep_alive_at(tcp.clone(), 3).anew().start();
    shop.order("stop");
    let mut early: Vec<_> = (0..8).map(|_| Connection::open(&tcp).unwrap()).collect();
    for connection in &mut early {
        connection
            .send("GET / HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
    }
    shop.order("start");
    for connection in &mut early {
        assert_eq!(connection.receive().unwrap().status, 200);
    }
    load.flow(50);
    load.stop().assert_lost_none();
    shop.order("stop");
    machine.systemctl(&["clean", "--what=fdstore", &shop.unit]);
    // systemd closes in the background.
    machine.until("nobody listens there any more", || {
        Connection::open(&tcp).is_err()
    });
}

#[test]
fn an_upgrade_keeps_the_store_and_a_restart_after_it_finds_everything() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    let crowd = crowd(&shop);
    shop.order("restart");
    flow(&crowd);
    let mark = shop.mark();
    shop.signal("USR2");
    shop.wait_after(mark, "upgrade.done", |_| true);
    flow(&crowd);
    assert_eq!(stored(&shop), 4);
    shop.order("restart");
    flow(&crowd);
    shop.signal("KILL");
    shop.until_property("NRestarts", "1");
    shop.until_property("ActiveState", "active");
    flow(&crowd);
    assert_eq!(stored(&shop), 4);
    sum(crowd).assert_lost_none();
    shop.order("stop");
}

#[test]
fn without_a_store_it_serves_as_before() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, &format!("{PLACES}workers = 2\n"));
    shop.edit("storeless", "[Service]\nFileDescriptorStoreMax=0\n");
    for _ in 0..2 {
        shop.order("restart");
        for address in shop.addresses() {
            let answer = Connection::open(&address).unwrap().get("/");
            assert_eq!(answer.unwrap().status, 200);
        }
    }
    assert_eq!(stored(&shop), 0);
    shop.order("reload");
    shop.order("stop");
    assert_eq!(shop.property("Result"), "success");
}

#[test]
fn a_store_that_is_too_small_is_told_with_the_number_that_it_needs() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, &format!("{PLACES}workers = 4\n"));
    shop.edit("small", "[Service]\nFileDescriptorStoreMax=2\n");
    shop.order("start");
    shop.wait_for("fleet.ready");
    let entries = shop.journal();
    let told = entries.iter().any(|entry| {
        let text = entry.get("MESSAGE").and_then(serde_json::Value::as_str);
        text.unwrap_or_default()
            .contains("FileDescriptorStoreMax=6")
    });
    assert!(told, "{}", shop.tell());
    for address in shop.addresses() {
        let answer = Connection::open(&address).unwrap().get("/");
        assert_eq!(answer.unwrap().status, 200);
    }
    shop.order("restart");
    assert_eq!(shop.property("ActiveState"), "active");
    shop.order("stop");
}
