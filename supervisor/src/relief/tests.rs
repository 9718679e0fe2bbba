//! Real sockets and channels, no processes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use brigade_shared::board::{Board, Ledger, RowState};
use brigade_shared::channel::{Channel, Received};
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::message::{Fact, Order};
use brigade_shared::seat::Address;

use super::{BATCH, Crew, MOST_AHEAD, Relieving, SPARE_FILES, Waiting};
use crate::plan::Relief;
use crate::roster::{Member, Roster, Standing, Tie};

/// So many each may have open.
const FILES: u64 = 1_000;

/// Workers as the supervisor knows them, the other ends of their channels, and a queue.
struct Scene {
    ledger: Ledger,
    roster: Roster,
    /// With how many connections have come there.
    ends: Vec<(Channel<Fact, Order>, Cell<u64>)>,
    queue: TcpListener,
    address: Address,
    relieving: Relieving,
    /// In the queues of other slots.
    waiting: BTreeMap<SlotId, u64>,
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
            waiting: BTreeMap::new(),
        };
        for number in 0..workers {
            let (slot, worker) = (SlotId(number), WorkerId(u64::from(number)));
            let first = Generation::FIRST;
            let row = scene.ledger.claim(slot, first, worker).unwrap();
            scene.ledger.board().row(row).set_state(RowState::Ready);
            let (member, end) = Member::for_tests(worker, slot, row);
            scene.roster.enter(worker, member);
            scene.ends.push((end, Cell::new(0)));
        }
        scene
    }

    /// Slot 0's queue, relieved by these.
    fn relieved_by(mut self, by: &[u64]) -> Self {
        self.change(by);
        self
    }

    fn change(&mut self, by: &[u64]) {
        let relief = Relief {
            slots: vec![SlotId(0)],
            shared: false,
            by: by.iter().copied().map(WorkerId).collect(),
        };
        self.relieving.begin(relief, &self.roster);
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
            files: FILES,
            waiting: self.waiting.clone(),
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
        self.with(|relieving, _, crew| {
            relieving.pass_on(connection, from);
            relieving.tick(crew);
        });
    }

    /// What each worker was given to serve.
    fn given(&self) -> Vec<usize> {
        let workers = 0..self.ends.len();
        workers.map(|worker| self.receive(worker).len()).collect()
    }

    /// What a worker finds in its channel and can claim.
    fn receive(&self, worker: usize) -> Vec<OwnedFd> {
        let member = self.roster.get(WorkerId(worker as u64)).unwrap();
        let row = self.ledger.board().row(member.row);
        let (end, heard) = &self.ends[worker];
        let claims = || row.claim(heard.replace(heard.get() + 1));
        let mut found = Vec::new();
        loop {
            match end.receive_with() {
                (Received::Message(Order::Serve), connection) if claims() => {
                    found.extend(connection);
                }
                (Received::Message(_), _) => {}
                _ => return found,
            }
        }
    }

    /// Fills a worker's channel until nothing fits; how much did.
    fn stuff(&self, worker: u64) -> usize {
        let link = self.roster.get(WorkerId(worker)).unwrap().link().unwrap();
        std::iter::repeat_with(|| link.send(&Order::Answer))
            .take_while(Result::is_ok)
            .count()
    }
}

#[test]
fn what_waits_is_spread_over_those_who_serve_and_works() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    let mut clients: Vec<_> = (0..10).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.receive(0).len(), 0, "not to the blocked one");
    let mut given = scene.receive(1);
    assert_eq!(given.len(), 5);
    given.extend(scene.receive(2));
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
    assert_eq!(scene.relieving.on_their_way(WorkerId(1)), 0, "it is heavy");
    let more: Vec<_> = (0..2).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(
        scene.given(),
        [0, 1, 5],
        "four were on their way to the other"
    );
    let row = board.row(scene.roster.get(WorkerId(2)).unwrap().row);
    (0..5).for_each(|_| row.connection_opened());
    let last = scene.connect();
    scene.pass_on(last, 2);
    assert_eq!(scene.given(), [0, 1, 0]);
    drop((clients, more));
}

#[test]
fn who_has_not_come_to_its_own_queue_yet_is_not_taken_for_light() {
    let mut scene = Scene::new(3).relieved_by(&[0, 1, 2]);
    let board = Arc::clone(scene.ledger.board());
    let row = |worker| board.row(scene.roster.get(WorkerId(worker)).unwrap().row);
    (0..12).for_each(|_| row(0).connection_opened());
    (0..9).for_each(|_| row(1).connection_opened());
    scene.waiting.insert(SlotId(2), 10);
    let passed = scene.connect();
    scene.pass_on(passed, 0);
    assert_eq!(scene.given(), [0, 1, 0]);
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
fn one_turn_takes_only_so_many_and_one_worker_gets_no_more_than_it_comes_to() {
    let most = MOST_AHEAD as usize;
    let mut scene = Scene::new(2).relieved_by(&[1]);
    let clients: Vec<_> = (0..BATCH + 6).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.relieving.adrift().count(), BATCH - most);
    assert!(!scene.relieving.takes_from(Some(SlotId(0))));
    for given in 1..=BATCH / most {
        assert_eq!(scene.given(), [0, most]);
        let left = BATCH.saturating_sub((given + 1) * most);
        while scene.relieving.adrift().count() > left {
            assert!(scene.relieving.deadline().is_some(), "it is tried again");
            scene.tick();
        }
        assert_eq!(scene.relieving.adrift().count(), left);
    }
    scene.tick();
    scene.with(Relieving::empty);
    assert_eq!(
        scene.given(),
        [0, 6],
        "but a queue that is closed is emptied"
    );
    drop(clients);
}

#[test]
fn who_has_no_room_for_files_is_given_none() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    let board = Arc::clone(scene.ledger.board());
    let row = |worker| board.row(scene.roster.get(WorkerId(worker)).unwrap().row);
    row(1).set_connections(FILES - SPARE_FILES);
    row(2).set_connections(FILES - SPARE_FILES - 1);
    let clients: Vec<_> = (0..2).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.given(), [0, 0, 1]);
    assert_eq!(scene.relieving.adrift().count(), 1);
    drop(clients);
}

#[test]
fn what_nobody_has_room_for_is_kept_and_tried_again() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    assert!(scene.stuff(1) > 10);
    let clients: Vec<_> = (0..3).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.receive(2).len(), 3, "the other has room");
    scene.stuff(2);
    let last = scene.connect();
    scene.take();
    assert_eq!(scene.relieving.adrift().count(), 1);
    assert!(
        !scene.relieving.takes_from(Some(SlotId(0))),
        "the rest waits in the queue"
    );
    let due = scene.relieving.deadline().expect("it is tried again");
    assert_eq!(scene.receive(1).len(), 0);
    while std::time::Instant::now() < due {}
    scene.tick();
    assert_eq!(scene.given(), [0, 1, 0]);
    scene.tick();
    assert_eq!(scene.relieving.deadline(), None);
    drop((clients, last));
}

#[test]
fn what_was_passed_on_goes_back_if_there_is_nobody_else() {
    let mut scene = Scene::new(2);
    let mut client = scene.connect();
    let accepted = scene.queue.accept().unwrap().0;
    scene.pass_on(accepted, 1);
    let given = scene.receive(1);
    let mut server = TcpStream::from(given.into_iter().next().unwrap());
    server.write_all(b"back").unwrap();
    drop(server);
    // Until then it could have been taken back.
    scene.tick();
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

#[test]
fn what_a_worker_has_not_claimed_goes_to_others_when_it_blocks_and_is_not_its_own_any_more() {
    let mut scene = Scene::new(3).relieved_by(&[1, 2]);
    let clients: Vec<_> = (0..8).map(|_| scene.connect()).collect();
    scene.take();
    assert_eq!(scene.receive(1).len(), 4);
    assert_eq!(
        scene.relieving.on_their_way(WorkerId(1)),
        4,
        "not known yet"
    );
    // 1 has claimed all of its own, 2 blocks with its four.
    scene.change(&[1]);
    scene.tick();
    assert_eq!(scene.relieving.on_their_way(WorkerId(2)), 0);
    assert_eq!(scene.relieving.on_their_way(WorkerId(1)), 4);
    assert_eq!(scene.receive(1).len(), 4);
    assert_eq!(scene.receive(2).len(), 0, "it comes too late");
    // What it gets afterwards is its own again.
    scene.change(&[2]);
    let last = scene.connect();
    scene.take();
    assert_eq!(scene.receive(2).len(), 1);
    scene.tick();
    assert_eq!(
        scene.relieving.deadline(),
        None,
        "nothing is left to look at"
    );
    drop((clients, last));
}

#[test]
fn what_was_in_the_channel_of_a_dead_worker_is_not_lost() {
    let mut scene = Scene::new(3).relieved_by(&[1]);
    let mut clients: Vec<_> = (0..3).map(|_| scene.connect()).collect();
    scene.take();
    let row = scene.roster.get(WorkerId(1)).unwrap().row;
    assert!(scene.ledger.board().row(row).claim(0), "one died with it");
    scene.roster.mark_ended(WorkerId(1));
    scene.ends[1].0 = Channel::pair().unwrap().1;
    scene.tick();
    assert_eq!(scene.relieving.adrift().count(), 2);
    scene.change(&[2]);
    scene.tick();
    let given = scene.receive(2);
    assert_eq!(given.len(), 2);
    for (client, server) in clients[1..].iter_mut().zip(given) {
        let mut server = TcpStream::from(server);
        server.write_all(b"served").unwrap();
        let mut text = [0; 6];
        client.read_exact(&mut text).unwrap();
    }
}

#[test]
fn what_is_on_its_way_is_gathered_before_another_program_goes_on() {
    let mut scene = Scene::new(2).relieved_by(&[1]);
    let clients: Vec<_> = (0..3).map(|_| scene.connect()).collect();
    scene.take();
    scene.with(|relieving, _, crew| relieving.gather(crew));
    assert_eq!(scene.relieving.adrift().count(), 3);
    assert_eq!(scene.receive(1).len(), 0);
    drop(clients);
}

#[test]
fn nothing_is_taken_on_behalf_of_programs_which_can_not_be_handed_anything() {
    let mut scene = Scene::new(2);
    let member = scene.roster.get_mut(WorkerId(1)).unwrap();
    member.tie = Tie::Service { link: None };
    scene.change(&[1]);
    assert!(!scene.relieving.takes_from(Some(SlotId(0))));
}
