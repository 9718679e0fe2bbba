//! Real sockets and channels, no processes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use brigade_shared::board::{Board, Counter, Ledger, RowState};
use brigade_shared::channel::{Channel, Received};
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::message::{Fact, Order};
use brigade_shared::seat::Address;

use super::{BATCH, Crew, Relieving, Waiting};
use crate::plan::Relief;
use crate::roster::{Member, Roster, Standing};

/// Workers as the supervisor knows them, the other ends of their channels, and a queue.
struct Scene {
    ledger: Ledger,
    roster: Roster,
    ends: Vec<Channel<Fact, Order>>,
    queue: TcpListener,
    address: Address,
    relieving: Relieving,
}

impl Scene {
    fn new(workers: u16) -> Self {
        let queue = TcpListener::bind("127.0.0.1:0").unwrap();
        queue.set_nonblocking(true).unwrap();
        let mut scene = Self {
            ledger: Ledger::new(Arc::new(Board::create().unwrap())),
            roster: Roster::default(),
            ends: Vec::new(),
            address: Address::Tcp(queue.local_addr().unwrap()),
            queue,
            relieving: Relieving::default(),
        };
        for number in 0..workers {
            let (slot, worker) = (SlotId(number), WorkerId(u64::from(number)));
            let first = Generation::FIRST;
            let row = scene.ledger.claim(slot, first, worker).unwrap();
            scene.ledger.board().row(row).set_state(RowState::Ready);
            let (member, end) = Member::for_tests(worker, slot, row);
            scene.roster.enter(worker, member);
            scene.ends.push(end);
        }
        scene
    }

    /// Slot 0's queue, relieved by these.
    fn relieved_by(mut self, by: &[u64]) -> Self {
        self.change(by);
        self
    }

    fn change(&mut self, by: &[u64]) {
        self.relieving.begin(Relief {
            slots: vec![SlotId(0)],
            shared: false,
            by: by.iter().copied().map(WorkerId).collect(),
        });
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.queue.local_addr().unwrap()).unwrap()
    }

    fn with(&mut self, act: impl FnOnce(&mut Relieving, Waiting<'_>, &mut Crew<'_>)) {
        let queue = Waiting {
            slot: Some(SlotId(0)),
            socket: self.queue.as_fd(),
            address: &self.address,
        };
        let board = Arc::clone(self.ledger.board());
        let mut crew = Crew {
            roster: &mut self.roster,
            board: &board,
        };
        act(&mut self.relieving, queue, &mut crew);
    }

    fn take(&mut self) {
        self.with(Relieving::take_from);
    }

    fn tick(&mut self) {
        self.with(|relieving, _, crew| relieving.tick(crew));
    }

    fn pass_on(&mut self, connection: TcpStream, from: u64) {
        let connection = OwnedFd::from(connection);
        let from = WorkerId(from);
        self.with(|relieving, _, crew| relieving.pass_on(connection, from, crew));
    }

    /// What each worker was given to serve.
    fn given(&self) -> Vec<usize> {
        self.ends.iter().map(|end| drain(end).len()).collect()
    }

    /// Fills a worker's channel until nothing fits; how much did.
    fn stuff(&self, worker: u64) -> usize {
        let link = self.roster.get(WorkerId(worker)).unwrap().link().unwrap();
        std::iter::repeat_with(|| link.send(&Order::Answer))
            .take_while(Result::is_ok)
            .count()
    }
}

fn drain(end: &Channel<Fact, Order>) -> Vec<OwnedFd> {
    let mut found = Vec::new();
    loop {
        match end.receive_with() {
            (Received::Message(Order::Serve), connection) => found.extend(connection),
            (Received::Message(_), _) => {}
            _ => return found,
        }
    }
}

#[test]
fn what_waits_is_spread_over_those_who_serve_and_works() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    let mut clients: Vec<_> = (0..10).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(drain(&scene.ends[0]).len(), 0, "not to the blocked one");
    let mut given = drain(&scene.ends[1]);
    assert_eq!(given.len(), 5);
    given.extend(drain(&scene.ends[2]));
    assert_eq!(given.len(), 10);
    for (client, server) in clients.iter_mut().zip(given) {
        client.write_all(b"?").unwrap();
        drop(server);
    }
    assert!(scene.relieving.adrift().next().is_none());
}

#[test]
fn the_lightest_is_who_has_the_fewest_now_and_on_the_way() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    let board = Arc::clone(scene.ledger.board());
    let row = |worker| board.row(scene.roster.get(WorkerId(worker)).unwrap().row);
    (0..4).for_each(|_| row(1).connection_opened());
    let clients: Vec<_> = (0..4).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.given(), [0, 0, 4], "the heavy one gets none");
    let more: Vec<_> = (0..2).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(
        scene.given(),
        [0, 1, 1],
        "four are on their way to the other"
    );
    let row = board.row(scene.roster.get(WorkerId(2)).unwrap().row);
    row.count(Counter::Taken, 5);
    (0..5).for_each(|_| row.connection_opened());
    let last = scene.connect();
    scene.pass_on(last, 2);
    assert_eq!(scene.given().iter().sum::<usize>(), 1);
    drop((clients, more));
}

#[test]
fn nothing_is_taken_while_nobody_could_serve_it() {
    let mut scene = Scene::new(2);
    scene.change(&[]);
    assert!(!scene.relieving.takes_from(Some(SlotId(0))));
    scene.change(&[1]);
    assert!(scene.relieving.takes_from(Some(SlotId(0))));
    assert!(!scene.relieving.takes_from(Some(SlotId(1))));
    assert!(!scene.relieving.takes_from(None));
}

#[test]
fn one_turn_takes_only_so_many() {
    let mut scene = Scene::new(2).relieved_by(&[1]);
    let clients: Vec<_> = (0..BATCH + 6).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.given(), [0, BATCH]);
    scene.with(Relieving::empty);
    assert_eq!(
        scene.given(),
        [0, 6],
        "but a queue that is closed is emptied"
    );
    drop(clients);
}

#[test]
fn what_nobody_has_room_for_is_kept_and_tried_again() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    assert!(scene.stuff(1) > 10);
    let clients: Vec<_> = (0..3).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(drain(&scene.ends[2]).len(), 3, "the other has room");
    scene.stuff(2);
    let last = scene.connect();
    scene.take();
    assert_eq!(scene.relieving.adrift().count(), 1);
    assert!(
        !scene.relieving.takes_from(Some(SlotId(0))),
        "the rest waits in the queue"
    );
    let due = scene.relieving.deadline().expect("it is tried again");
    assert_eq!(drain(&scene.ends[1]).len(), 0);
    while std::time::Instant::now() < due {}
    scene.tick();
    assert_eq!(scene.given(), [0, 1, 0]);
    assert_eq!(scene.relieving.deadline(), None);
    drop((clients, last));
}

#[test]
fn what_was_passed_on_goes_back_if_there_is_nobody_else() {
    let mut scene = Scene::new(2);
    let mut client = scene.connect();
    let accepted = scene.queue.accept().unwrap().0;
    scene.pass_on(accepted, 1);
    let given = drain(&scene.ends[1]);
    let mut server = TcpStream::from(given.into_iter().next().unwrap());
    server.write_all(b"back").unwrap();
    drop(server);
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "back");
}

#[test]
fn who_leaves_gets_nothing_unless_nobody_stays() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    let leave = |scene: &mut Scene, worker, standing| {
        let member = scene.roster.get_mut(WorkerId(worker)).unwrap();
        member.reach(standing);
    };
    leave(&mut scene, 1, Standing::Draining);
    let clients: Vec<_> = (0..2).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.given(), [0, 0, 2]);
    leave(&mut scene, 0, Standing::Ending);
    leave(&mut scene, 2, Standing::Ending);
    let last = scene.connect();
    scene.take();
    assert_eq!(scene.given(), [0, 0, 0]);
    assert_eq!(
        scene.relieving.adrift().count(),
        1,
        "kept for whoever comes"
    );
    assert_eq!(
        scene.relieving.deadline(),
        None,
        "and nothing is tried in vain"
    );
    scene.relieving.last_call();
    scene.tick();
    assert_eq!(scene.given(), [0, 1, 0], "nobody will come: who drains may");
    drop((clients, last));
}

#[test]
fn when_the_system_refuses_it_pauses_and_loses_nothing() {
    let mut scene = Scene::new(2).relieved_by(&[1]);
    let client = scene.connect();
    // The limit of descriptors is the whole process's; a socket that does not listen is refused too.
    let deaf = TcpStream::connect(scene.queue.local_addr().unwrap()).unwrap();
    scene.with(|relieving, queue, crew| {
        let socket = deaf.as_fd();
        relieving.take_from(Waiting { socket, ..queue }, crew);
    });
    assert!(!scene.relieving.takes_from(Some(SlotId(0))));
    let due = scene.relieving.deadline().expect("it is tried again");
    assert_eq!(scene.given(), [0, 0]);
    while std::time::Instant::now() < due {}
    scene.tick();
    assert!(scene.relieving.takes_from(Some(SlotId(0))));
    scene.take();
    assert_eq!(scene.given(), [0, 2]);
    drop((client, deaf));
}
