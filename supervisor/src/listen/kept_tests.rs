//! Sockets that one supervisor leaves and the next takes back, with real sockets on loopback.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use brigade_config::{Balance, Bind, Config, SupervisorConfig};
use brigade_shared::id::{Generation, SlotId};
use brigade_shared::seat::Address;
use nix::sys::stat::fstat;

use super::announced::Came;
use super::inherited::Inherited;
use super::kept_name::{KeptName, SocketName};
use super::listeners::{Listeners, Takers};

fn config(binds: &[Bind], balance: Balance) -> SupervisorConfig {
    let mut config = Config::default().supervisor;
    config.binds = binds.to_vec();
    config.balance = balance;
    config
}

fn local(port: u16) -> Bind {
    Bind::Tcp([127, 0, 0, 1].into(), port)
}

fn nobody(_: OwnedFd) {
    panic!("nothing waits here");
}

/// A supervisor that starts with this.
fn start(config: &SupervisorConfig, inherited: Inherited) -> Listeners {
    let mut listeners = Listeners::open(config, inherited).unwrap();
    listeners.begin(config, nobody);
    listeners
}

/// What the manager has when a supervisor has been killed: the last first, as systemd gives it.
fn kept(listeners: &Listeners) -> Inherited {
    let mut inherited = Inherited::default();
    let mut all = listeners.to_be_kept();
    all.reverse();
    for (name, descriptor) in all {
        let descriptor = descriptor.try_clone_to_owned().unwrap();
        let number = 0;
        inherited.add(Came {
            number,
            name,
            descriptor,
        });
    }
    inherited
}

fn names(listeners: &Listeners) -> Vec<String> {
    let all = listeners.to_be_kept().into_iter();
    all.map(|(name, _)| name).collect()
}

fn tcp(listeners: &Listeners) -> SocketAddr {
    let offers = listeners.of_slot(SlotId(0), Generation::FIRST);
    match offers[0].address {
        Address::Tcp(address) => *address,
        Address::Unix(_) | Address::Abstract(_) => panic!("not TCP"),
    }
}

fn sockets(listeners: &Listeners) -> Vec<u64> {
    let queues = listeners.queues();
    queues
        .map(|queue| fstat(queue.socket).unwrap().st_ino)
        .collect()
}

fn connect(address: SocketAddr) -> Result<TcpStream, ErrorKind> {
    let connected = TcpStream::connect_timeout(&address, Duration::from_millis(100));
    connected.map_err(|error| error.kind())
}

/// In the slot of which queue a new connection arrives, for this steering.
fn arrives(listeners: &mut Listeners, slot: u16) -> Vec<Option<u16>> {
    let to = [SlotId(slot)];
    listeners.steer(&to, &Takers::default()).unwrap();
    let _client = connect(tcp(listeners)).unwrap();
    let accepts =
        |queue: &super::Waiting<'_>| socket2::SockRef::from(&queue.socket).accept().is_ok();
    let queues = listeners.queues();
    let found = queues.filter(accepts);
    found.map(|queue| queue.slot.map(|slot| slot.0)).collect()
}

#[test]
fn every_slot_is_where_it_was_and_more_can_be_opened() {
    let config = config(&[local(0)], Balance::Slots);
    let mut first = start(&config, Inherited::default());
    first.open_slot(SlotId(3)).unwrap();
    let (before, stored) = (sockets(&first), names(&first));
    let inherited = kept(&first);
    drop(first);
    let mut second = start(&config, inherited);
    assert_eq!(second.slots(), 4);
    assert_eq!((sockets(&second), names(&second)), (before, stored));
    second.open_slot(SlotId(5)).unwrap();
    for slot in 0..6 {
        assert_eq!(arrives(&mut second, slot), [Some(slot)]);
    }
}

#[test]
fn one_queue_becomes_one_for_each_slot_and_the_other_way_round() {
    let mut config = config(&[local(0)], Balance::Shared);
    let first = start(&config, Inherited::default());
    let (address, before) = (tcp(&first), sockets(&first));
    let inherited = kept(&first);
    drop(first);
    config.balance = Balance::Slots;
    let mut second = start(&config, inherited);
    second.open_slot(SlotId(2)).unwrap();
    assert_eq!(sockets(&second)[0], before[0]);
    for slot in 0..3 {
        assert_eq!(arrives(&mut second, slot), [Some(slot)]);
    }
    let early = arrives_in_slot(&mut second, 2);
    let inherited = kept(&second);
    drop(second);
    config.balance = Balance::Shared;
    let mut third = start(&config, inherited);
    let mut served = 0;
    third.close_retired(|_| served += 1);
    assert_eq!((served, sockets(&third)), (1, before));
    assert_eq!(tcp(&third), address);
    assert_eq!(arrives(&mut third, 0), [None]);
    drop(early);
}

/// A client who waits there.
fn arrives_in_slot(listeners: &mut Listeners, slot: u16) -> TcpStream {
    let to = [SlotId(slot)];
    listeners.steer(&to, &Takers::default()).unwrap();
    connect(tcp(listeners)).unwrap()
}

#[test]
fn an_address_that_was_about_to_go_and_is_wanted_again_takes_new_connections() {
    let elsewhere = Bind::Tcp([127, 0, 0, 2].into(), 0);
    let mut first = start(
        &config(&[local(0), elsewhere.clone()], Balance::Slots),
        Inherited::default(),
    );
    let goes = tcp(&first);
    first.stage(&config(&[elsewhere], Balance::Slots)).unwrap();
    first.assign(Generation(2));
    first.commit(Generation(2));
    assert_eq!(connect(goes).unwrap_err(), ErrorKind::TimedOut);
    let inherited = kept(&first);
    drop(first);
    let again = [local(goes.port())];
    let second = start(&config(&again, Balance::Slots), inherited);
    assert_eq!(tcp(&second), goes);
    connect(goes).unwrap();
}

#[test]
fn the_steering_of_the_supervisor_before_ends_with_it() {
    let config = config(&[local(0)], Balance::Slots);
    let mut first = start(&config, Inherited::default());
    first.open_slot(SlotId(1)).unwrap();
    first.steer(&[SlotId(1)], &Takers::default()).unwrap();
    let inherited = kept(&first);
    drop(first);
    let second = start(&config, inherited);
    let clients: Vec<_> = (0..50).map(|_| connect(tcp(&second)).unwrap()).collect();
    let first_queue = second.queues().next().unwrap();
    let accepted = (0..clients.len()).filter(|_| {
        let socket = socket2::SockRef::from(&first_queue.socket);
        socket.accept().is_ok()
    });
    assert!(accepted.count() > 0, "nobody came to slot 0");
}

#[test]
fn a_start_that_fails_changes_nothing_and_the_next_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let (ours, taken) = (
        [local(0), Bind::Unix(path.clone())],
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let good = config(&ours, Balance::Slots);
    let mut first = start(&good, Inherited::default());
    first.open_slot(SlotId(2)).unwrap();
    first.note_kept(|_| true);
    let (address, before) = (tcp(&first), sockets(&first));
    let again = [kept(&first), kept(&first), kept(&first)];
    first.close();
    let port = taken.local_addr().unwrap().port();
    let bad = config(&[local(port), Bind::Unix(path.clone())], Balance::Slots);
    let [one, two, three] = again;
    assert!(Listeners::open(&bad, one).is_err());
    // Also if it fails after everything was had.
    Listeners::open(&good, two).unwrap().close();
    assert!(path.exists());
    connect(address).unwrap();
    let mut last = Listeners::open(&good, three).unwrap();
    last.begin(&good, nobody);
    assert_eq!(sockets(&last), before);
}

#[test]
fn a_socket_that_has_lost_its_place_is_emptied_and_closed_and_the_others_stay() {
    let config = config(&[local(0)], Balance::Slots);
    for lost in [0, 1] {
        let mut first = start(&config, Inherited::default());
        first.open_slot(SlotId(3)).unwrap();
        let address = tcp(&first);
        let mut inherited = kept(&first);
        inherited
            .sockets
            .retain(|one| one.name.unwrap().slot != lost);
        let waiting: Vec<_> = (0..40).map(|_| arrives_in_slot(&mut first, 3)).collect();
        drop(first);
        let mut second = Listeners::open(&config, inherited).unwrap();
        let mut served = 0;
        second.begin(&config, |_| served += 1);
        assert_eq!(served, waiting.len());
        second.open_slot(SlotId(3)).unwrap();
        for slot in 0..4 {
            assert_eq!(arrives(&mut second, slot), [Some(slot)], "without {lost}");
        }
        assert_eq!(tcp(&second), address);
    }
}

#[test]
fn names_say_which_place_and_slot_a_socket_has() {
    let config = config(&[local(0), local(0)], Balance::Slots);
    let mut listeners = start(&config, Inherited::default());
    listeners.open_slot(SlotId(1)).unwrap();
    let read = |name: &String| match KeptName::read(name) {
        Some(KeptName::Socket(SocketName { place, slot, .. })) => (slot, place),
        other => panic!("{other:?}"),
    };
    let order: Vec<_> = names(&listeners).iter().map(read).collect();
    // Should there be no room for all, every address has its first.
    assert_eq!(order, [(0, 1), (0, 2), (1, 1), (1, 2)]);
    let all = listeners.to_be_kept();
    assert!(all.iter().all(|(_, socket)| fstat(socket.as_fd()).is_ok()));
}
