//! Connections that a worker passes on because it holds too many.

use std::thread;

use brigade_shared::board::Counter;

use crate::app::ungated;
use crate::client::Client;
use crate::desk::Desk;
use crate::worker::{Door, House, PATIENCE, Worker, config, until};

/// Two workers with a door each.
fn pair(house: &House) -> [(Door, Worker); 2] {
    [(), ()].map(|()| {
        let door = Door::open();
        let worker = house.start(vec![door.listener(false)], config(), |_| async {
            Ok::<_, String>(ungated())
        });
        (door, worker)
    })
}

fn count(worker: &Worker, counter: Counter) -> u64 {
    worker.row().counts.get(counter)
}

/// Clients that stay, each of which has been answered.
fn crowd(door: &Door, size: usize) -> Vec<Client> {
    let mut crowd = Vec::new();
    for _ in 0..size {
        let mut client = Client::connect(door.address).unwrap();
        assert_eq!(client.get("/").unwrap().text(), "hello");
        crowd.push(client);
    }
    crowd
}

fn end(workers: [(Door, Worker); 2]) {
    for (_door, worker) in workers {
        worker.drain(PATIENCE);
        assert_eq!(worker.code(), 0);
        assert_eq!(count(&worker, Counter::Cut), 0);
    }
}

/// Runs a test while a desk is at work for both.
fn with_desk(test: impl FnOnce(&[(Door, Worker); 2], &Desk)) {
    let house = House::open();
    let workers = pair(&house);
    let desk = Desk::open(&house);
    for (_, worker) in &workers {
        desk.admit(worker);
    }
    thread::scope(|scope| {
        let _hours = desk.open_hours();
        scope.spawn(|| desk.work());
        test(&workers, &desk);
        for (_, worker) in &workers {
            desk.dismiss(worker);
            worker.drain(PATIENCE);
        }
    });
    for (_, worker) in &workers {
        assert_eq!(worker.code(), 0);
    }
}

#[test]
fn connections_that_stay_spread_although_all_come_to_one() {
    with_desk(|[(door, busy), (_, idle)], desk| {
        let mut crowd = crowd(door, 200);
        let held = [busy, idle].map(|worker| worker.row().connections);
        assert_eq!(held.iter().sum::<u64>(), 200);
        assert!(held.iter().all(|held| *held <= 121), "{held:?}");
        for client in &mut crowd {
            assert_eq!(client.get("/").unwrap().text(), "hello");
        }
        let passed = count(busy, Counter::Passed);
        assert_eq!(passed, desk.passed());
        assert_eq!(count(idle, Counter::Passed), 0);
        let taken = [busy, idle].map(|worker| count(worker, Counter::Taken));
        assert_eq!(taken.iter().sum::<u64>(), passed);
        assert_eq!(count(busy, Counter::Accepted), 200 - passed);
    });
}

#[test]
fn connections_that_come_and_go_are_soon_not_worth_the_trouble() {
    with_desk(|[(door, busy), _], desk| {
        let _crowd = crowd(door, 20);
        let come_and_go = || {
            let before = [desk.passed(), count(busy, Counter::Accepted)];
            for _ in 0..500 {
                let mut client = Client::connect(door.address).unwrap();
                client.get("/").unwrap();
            }
            let after = [desk.passed(), count(busy, Counter::Accepted)];
            [after[0] - before[0], after[1] - before[1]]
        };
        // While the crowd is new, nothing says that others will not stay too: of what is passed on,
        // one in sixteen is kept to learn from, until they are as many as the crowd.
        come_and_go();
        let [passed, accepted] = come_and_go();
        assert!(passed <= 50 && accepted >= 450, "{passed} {accepted}");
    });
}

#[test]
fn a_worker_without_serving_siblings_passes_nothing() {
    let house = House::open();
    let [(door, worker), (_, sibling)] = pair(&house);
    let mut gone = crowd(&door, 1);
    sibling.drain(PATIENCE);
    assert_eq!(sibling.code(), 0);
    let mut crowd = crowd(&door, 50);
    crowd.append(&mut gone);
    assert_eq!(worker.row().connections, 51);
    assert_eq!(count(&worker, Counter::Passed), 0);
    drop(crowd);
    worker.drain(PATIENCE);
    assert_eq!(worker.code(), 0);
}

#[test]
fn what_the_supervisor_does_not_take_is_served_here() {
    let house = House::open();
    let workers = pair(&house);
    let [(door, busy), _] = &workers;
    let clients: Vec<_> = (0..1_500)
        .map(|_| Client::connect(door.address).unwrap())
        .collect();
    until("each is somewhere", || {
        let row = busy.row();
        row.connections + row.counts.get(Counter::Passed) == 1_500
    });
    let passed = count(busy, Counter::Passed);
    assert!(passed > 16 && busy.row().connections > 900, "{passed}");
    // Those that lie on the link are still alive: the desk comes late, and finds them.
    let desk = Desk::open(&house);
    for (_, worker) in &workers {
        desk.admit(worker);
    }
    thread::scope(|scope| {
        let _hours = desk.open_hours();
        scope.spawn(|| desk.work());
        for mut client in clients {
            assert_eq!(client.get("/").unwrap().text(), "hello");
        }
    });
    assert_eq!(desk.passed(), passed);
    end(workers);
}
